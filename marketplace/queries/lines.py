"""The datasets of a query, a line each: what is read of it, at what price, and what was decided on it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

from catalog.version import Version
from marketplace.audit.facttree import FactTree, grow
from marketplace.billing.price import Measured, Price, price
from marketplace.billing.terms import Terms
from marketplace.queries.facts import Facts
from marketplace.queries.privacy import Spend
from marketplace.spending.counting import Counted, counted
from policies.decision import AccessQuestion, Decision, Obligations, Reason


class Line(Struct, frozen=True, kw_only=True, dict=True):
    """One dataset of a query that is understood, priced and decided. `rows_cap`: records that may leave under the
    agreement in all, None where none do. Lines are in the order of their agreements' ids: so are their locks."""

    sql: str
    facts: Facts
    version: Version | None
    reads: tuple[str, ...]
    bytes: int
    price: Price
    """At most, where the offer measures what only a run tells; of `most`."""
    most: Measured
    rows_cap: int | None
    spend: Spend | None
    """In dp mode."""
    question: AccessQuestion
    decision: Decision

    @cached_property
    def tree(self) -> FactTree:
        """Over the facts and the SQL, grown once: the row keeps its seed, and the line's event its head."""
        return grow(self.question, self.sql)

    @property
    def price_vnd(self) -> int:
        return self.price.total_vnd

    def counted(self) -> Counted:
        """As it counts in its month."""
        return counted(
            self.facts.terms or Terms(),
            agreement_id=self.facts.agreement_id,
            dataset_id=self.facts.dataset_id,
            vnd=self.price_vnd,
            trial_vnd=self.price.trial_vnd,
        )

    def billed(self, *, records: int, cpu_us: int) -> Price:
        """What it costs once it has run: the price, or less where the offer measures rows and CPU.

        `records`: that the answer may hold, as caps count them: else a list would bring a table home as one row.
        """
        terms = self.facts.terms
        if terms is None or not terms.metered:
            return self.price
        took = replace(self.most, rows=min(records, self.most.rows), cpu_us=min(cpu_us, self.most.cpu_us))
        return price(terms, took, self.facts.standing).at_most(self.price_vnd)

    @property
    def records_left(self) -> int | None:
        """None: no records leave."""
        return None if self.rows_cap is None else self.rows_cap - self.facts.records_released


def together(lines: Sequence[Line]) -> Decision:
    """The decision on the query. Of several datasets: denied if one is, and each reason names its dataset; what
    all demand or grant together, where the query may run."""
    first = lines[0].decision
    if len(lines) == 1:
        return first
    allow = all(line.decision.allow for line in lines)
    hashes = "\n".join(line.decision.facts_hash for line in lines)
    return replace(
        first,
        allow=allow,
        reasons=tuple(_reasons(lines)),
        facts_hash=hashlib.sha256(hashes.encode()).hexdigest(),
        valid_until=min(line.decision.valid_until for line in lines),
        obligations=_met(lines) if allow else None,
    )


def _reasons(lines: Sequence[Line]) -> Iterator[Reason]:
    """What every dataset says alike is about the request, and is said once."""
    alike = [each for each in lines[0].decision.reasons if all(each in line.decision.reasons for line in lines)]
    yield from alike
    for line in lines:
        for reason in line.decision.reasons:
            if reason not in alike:
                yield replace(reason, params={**reason.params, "dataset": line.facts.slug})


def _met(lines: Sequence[Line]) -> Obligations:
    """On most axes the lines agree, for each was decided beside the others; the rest is put together here."""
    found = [(line.facts.slug, line.decision.obligations) for line in lines if line.decision.obligations]
    each = [obligations for _, obligations in found]
    return replace(
        each[0],
        mode="rows" if any(one.mode == "rows" for one in each) else each[0].mode,
        columns=tuple(f"{slug}.{column}" for slug, one in found for column in one.columns),
        row_filter=tuple({**one_of, "dataset": slug} for slug, one in found for one_of in one.row_filter),
        k_min=max(one.k_min for one in each),
        max_rows=min(one.max_rows for one in each),
        max_bytes=min(one.max_bytes for one in each),
        recheck_after=min(one.recheck_after for one in each),
        consented_to=next((one.consented_to for one in each if one.consented_to is not None), None),
    )
