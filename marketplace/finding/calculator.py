"""What queries of some columns would cost by a dataset's public offer; the price itself is billing's."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from catalog.version import VersionColumn
from marketplace.billing.price import Item, Measured, Standing, price
from marketplace.billing.terms import Terms
from marketplace.errors import Invalid

QUERIES = 1_000


class Estimate(Struct, frozen=True, kw_only=True):
    """`one_vnd`: the first query, of these lines; `all_vnd`: `queries` of them in one month by a new agreement."""

    columns: tuple[str, ...]
    bytes: int
    queries: int
    items: tuple[Item, ...]
    one_vnd: int
    all_vnd: int
    month_vnd: int
    """What a month costs beside its queries."""


def estimate(terms: Terms, columns: Sequence[VersionColumn], *, chosen: Sequence[str], queries: int) -> Estimate:
    """Of all columns where none is chosen; a query is taken to give one row. Raises Invalid."""
    known = {column.name: column for column in columns}
    if unknown := [name for name in chosen if name not in known]:
        raise Invalid(errors=[{"path": "column", "code": "form.choice", "params": {"path": unknown[0][:100]}}])
    read = [known[name] for name in dict.fromkeys(chosen)] or list(columns)
    measured = Measured(bytes=sum(column.logical_bytes for column in read), rows=1)
    queries = min(max(queries, 1), QUERIES)
    total = trial_queries = trial_vnd = 0
    for place in range(queries):
        standing = Standing(queries=place, vnd=total, trial_queries=trial_queries, trial_vnd=trial_vnd)
        each = price(terms, measured, standing)
        total += each.total_vnd
        if each.trial_vnd is not None:
            trial_queries, trial_vnd = trial_queries + 1, trial_vnd + each.trial_vnd
    first = price(terms, measured)
    fee = terms.statutory_fee.month_vnd if terms.statutory_fee else 0
    return Estimate(
        columns=tuple(column.name for column in read),
        bytes=measured.bytes,
        queries=queries,
        items=first.items,
        one_vnd=first.total_vnd,
        all_vnd=total,
        month_vnd=terms.month_vnd + fee,
    )
