"""What an offer asks for: rates in micro-đồng (millionths of a đồng), amounts of a month in whole đồng, gross."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

MICRO = 10**6
Rate = Annotated[int, Meta(ge=0, le=10**18)]
Amount = Annotated[int, Meta(ge=0, le=10**12)]
Permille = Annotated[int, Meta(ge=1, le=1000)]


class Tier(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From the n-th query of a month on (its own place counted), each costs so much."""

    from_query: Annotated[int, Meta(ge=2, le=10**9)]
    per_query_micro: Rate


class Trial(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Once per organisation and dataset, whichever agreement it asks under: so many queries, or queries for so
    much, cost nothing. One of the two."""

    queries: Annotated[int, Meta(ge=1, le=10**6)] | None = None
    budget_vnd: Annotated[int, Meta(ge=1, le=10**12)] | None = None


class StatutoryFee(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a law demands of each agreement a month; all of it is the state budget's. `law`: id in the law file."""

    law: Annotated[str, Meta(min_length=1, max_length=100)]
    month_vnd: Annotated[int, Meta(ge=1, le=10**12)]


class Sla(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is promised of the data: its scores, in permille, by the suite that its owner sends with each version;
    `live`: one is listed, and never overdue. A month in which one did not hold gives back `credit_permille` of its
    queries."""

    accurate_permille: Permille | None = None
    complete_permille: Permille | None = None
    clean_permille: Permille | None = None
    live: bool = False
    credit_permille: Permille


class Terms(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Price of a query, and of a month. All zero: free."""

    per_query_micro: Rate = 0
    tiers: Annotated[tuple[Tier, ...], Meta(max_length=20)] = ()
    per_gb_micro: Rate = 0
    """Per 10⁹ logical bytes of the columns read."""
    per_rho_micro: Rate = 0
    """dp mode: per whole ρ of the privacy budget."""
    per_row_micro: Rate = 0
    """rows mode: per row of the answer, of which there is never less than one. The quote is a ceiling then, as it
    is with the next."""
    per_cpu_second_micro: Rate = 0
    """rows mode."""
    trial: Trial | None = None
    month_vnd: Amount = 0
    """For each calendar month in which the agreement was in force, whole."""
    minimum_month_vnd: Amount = 0
    """What queries and `month_vnd` together do not reach of it is charged once the month is over."""
    cap_month_vnd: Amount | None = None
    """All that the queries of a month cost; `month_vnd` and the fee come on top."""
    statutory_fee: StatutoryFee | None = None
    max_seconds: Annotated[int, Meta(ge=1, le=86_400)] | None = None
    """The longest that a query may run; None: the exchange's own bound."""
    sla: Sla | None = None

    @property
    def base_vnd(self) -> int:
        """Of the first query of a month, rounded half up."""
        return whole_vnd(self.per_query_micro)

    @property
    def metered(self) -> bool:
        """Whether a price is known only once the query has run."""
        return bool(self.per_row_micro or self.per_cpu_second_micro)


def whole_vnd(micro: int) -> int:
    """Đồng, rounded half up."""
    return (2 * micro + MICRO) // (2 * MICRO)
