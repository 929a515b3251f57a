"""What was charged without a query, by month, as each party's statement has it: its cost, or its share."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.billing.charging import shares_of_charge
from marketplace.billing.schemas import InvoiceLine

# Charges of one day and amount are shared alike: the exchange reads them as one row, however many there are.
_CHARGED = """
    select to_char(c.at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM') as month, {dataset} as dataset_id,
           {slug} as dataset_slug, c.code, c.amount_vnd, min(c.at) as at, count(*) as charges,
           c.owner_id = :party as leads,
           case when a.partner_id is not null then a.lead_basis_points end as lead_basis_points
    from charge c join agreement a on a.id = c.agreement_id left join dataset d on d.id = c.dataset_id
    where {side} and c.at >= date_trunc('month', now() at time zone 'Asia/Ho_Chi_Minh')
          at time zone 'Asia/Ho_Chi_Minh' - make_interval(months => :months - 1)
    group by 1, 2, 3, 4, 5, 8, 9, (c.at at time zone 'Asia/Ho_Chi_Minh')::date
"""
_SIDES = {"startup": "c.organisation_id = :party", "owner": "(c.owner_id = :party or a.partner_id = :party)"}
_KEY = tuple[str, UUID | None, str | None, str]


async def charged_lines(
    session: AsyncSession, *, kind: str, party_id: UUID, months: int
) -> tuple[tuple[str, InvoiceLine], ...]:
    """Month and line, a line a dataset and kind of charge; of exchange and state all datasets together."""
    each = kind in _SIDES
    dataset, slug = ("c.dataset_id", "d.slug") if each else ("null::uuid", "null::text")
    statement = text(_CHARGED.format(dataset=dataset, slug=slug, side=_SIDES.get(kind, "true")))
    amounts: dict[_KEY, int] = defaultdict(int)
    counts: dict[_KEY, int] = defaultdict(int)
    for row in await session.execute(statement, {"party": party_id, "months": months}):
        key = (row.month, row.dataset_id, row.dataset_slug, row.code)
        amounts[key] += row.charges * _of(kind, row)
        counts[key] += row.charges
    return tuple(
        (month, InvoiceLine(code=code, dataset_id=dataset_id, dataset_slug=dataset_slug,
                            queries=counts[month, dataset_id, dataset_slug, code], bytes=0, amount_vnd=amount))
        for (month, dataset_id, dataset_slug, code), amount in amounts.items()
    )  # fmt: skip


def _of(kind: str, row: Any) -> int:
    """The party's part of one charge."""
    if kind == "startup":
        return int(row.amount_vnd)
    shares = shares_of_charge(row.code, row.amount_vnd, lead_basis_points=row.lead_basis_points, at=row.at)
    if kind == "owner":
        return shares.lead if row.leads else shares.partner
    return shares.state if kind == "regulator" else shares.platform
