"""What a query, and a month, costs by an offer's terms: lines, each rounded once, half up, and their sum."""

from __future__ import annotations

from msgspec import Struct

from marketplace.billing.terms import MICRO, Terms

GB = 10**9


class Measured(Struct, frozen=True, kw_only=True):
    """What a query takes, or takes at most: logical bytes of the columns read, ρ in millionths, rows, CPU."""

    bytes: int
    rho_micro: int = 0
    rows: int = 0
    cpu_us: int = 0


class Standing(Struct, frozen=True, kw_only=True):
    """Where an agreement stands before a query: queries and đồng of the month, holds counted, and what of the
    organisation's trial of the dataset is used up."""

    queries: int = 0
    vnd: int = 0
    trial_queries: int = 0
    trial_vnd: int = 0


FRESH = Standing()


class Item(Struct, frozen=True, kw_only=True):
    """A line of a price: query | bytes | rho | rows | cpu, and what `trial`, `cap` and an earlier quote
    (`promised`) take off (negative).

    `rate_micro`: micro-đồng per `unit` of `quantity`.
    """

    code: str
    quantity: int
    unit: int
    rate_micro: int
    amount_vnd: int


class Price(Struct, frozen=True, kw_only=True):
    items: tuple[Item, ...] = ()

    @property
    def total_vnd(self) -> int:
        """Never negative."""
        return sum(item.amount_vnd for item in self.items)

    def at_most(self, promised_vnd: int) -> Price:
        """This price, or what was promised for less."""
        over = self.total_vnd - promised_vnd
        return Price(items=(*self.items, _off("promised", over))) if over > 0 else self

    @property
    def trial_vnd(self) -> int | None:
        """What the trial took off; None: it is no query of the trial."""
        return next((-item.amount_vnd for item in self.items if item.code == "trial"), None)


def price(terms: Terms, measured: Measured, standing: Standing = FRESH) -> Price:
    """What a query costs. Measured at most, it is the ceiling: it grows with everything that is measured.

    Raises ValueError for a negative figure.
    """
    if min(measured.bytes, measured.rho_micro, measured.rows, measured.cpu_us) < 0:
        raise ValueError(f"{measured}")
    asked = (
        ("query", 1, 1, query_rate_micro(terms, standing.queries + 1)),
        ("bytes", measured.bytes, GB, terms.per_gb_micro),
        ("rho", measured.rho_micro, MICRO, terms.per_rho_micro),
        ("rows", max(measured.rows, 1), 1, terms.per_row_micro),
        ("cpu", measured.cpu_us, MICRO, terms.per_cpu_second_micro),
    )
    items = [_item(*each) for each in asked if each[0] == "query" or each[3]]
    left = sum(item.amount_vnd for item in items)
    free = _in_trial(terms, standing, left)
    if free is not None:
        items.append(_off("trial", free))
        left -= free
    if terms.cap_month_vnd is not None and (over := standing.vnd + left - terms.cap_month_vnd) > 0:
        items.append(_off("cap", min(over, left)))
    return Price(items=tuple(items))


def query_rate_micro(terms: Terms, place: int) -> int:
    """Of the query that is the `place`-th of its agreement and month, holds counted; places begin at 1."""
    rates = [tier.per_query_micro for tier in terms.tiers if tier.from_query <= place]
    return rates[-1] if rates else terms.per_query_micro


def _in_trial(terms: Terms, standing: Standing, asked_vnd: int) -> int | None:
    trial = terms.trial
    if trial is None:
        return None
    if trial.queries is not None:
        return asked_vnd if standing.trial_queries < trial.queries else None
    left = (trial.budget_vnd or 0) - standing.trial_vnd
    return min(asked_vnd, left) if left > 0 else None


def _item(code: str, quantity: int, unit: int, rate_micro: int) -> Item:
    whole = unit * MICRO
    amount = (2 * quantity * rate_micro + whole) // (2 * whole)
    return Item(code=code, quantity=quantity, unit=unit, rate_micro=rate_micro, amount_vnd=amount)


def _off(code: str, amount_vnd: int) -> Item:
    return Item(code=code, quantity=1, unit=1, rate_micro=-amount_vnd * MICRO, amount_vnd=-amount_vnd)


def due_at_start(terms: Terms) -> tuple[tuple[str, int], ...]:
    """Codes and đồng of what a month of an agreement costs without a query, as soon as it has begun."""
    fee = terms.statutory_fee.month_vnd if terms.statutory_fee else 0
    return tuple((code, vnd) for code, vnd in (("month", terms.month_vnd), ("statutory_fee", fee)) if vnd)


def due_at_end(terms: Terms, *, queries_vnd: int) -> tuple[tuple[str, int], ...]:
    """What a month still costs once it is over and its queries have cost `queries_vnd`."""
    short = terms.minimum_month_vnd - terms.month_vnd - queries_vnd
    return (("minimum", short),) if short > 0 else ()
