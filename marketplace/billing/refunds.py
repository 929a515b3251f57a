"""Gives a charge back, in full or in part: each who got a share returns his part of what is given back.

A part is taken out of what is left of each share, by largest remainder. So in any sequence of parts nobody returns
more than he got, and once all is given back nobody has a đồng of it left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.billing.split import divide
from marketplace.db.base import new_id
from marketplace.ledger.accounts import account_id
from marketplace.ledger.actions import Movement

REVERSED = {
    "share_owner": "refund_owner",
    "share_partner": "refund_partner",
    "share_state": "refund_state",
    "share_tax": "refund_tax",
}
"""Code of a share → of what returns it. What is left of a charge beside these is the exchange's own."""
_SHARES = tuple(REVERSED)
_BOOKED = text("""
    select query_id, dataset_id, code, sum(amount)::bigint as vnd,
           case when starts_with(code, 'share_') or code = 'query_refund' then credit_account_id
                else debit_account_id end as account_id
    from transfer where query_id = any(cast(:queries as uuid[])) and code = any(cast(:codes as text[]))
    group by 1, 2, 3, 5
""")


class Share(Struct, frozen=True):
    """What an account still has of a charge."""

    code: str
    account_id: UUID
    left_vnd: int


class Charge(Struct, frozen=True, kw_only=True):
    """A charge of one dataset of a query, less what was given back of it."""

    query_id: UUID
    dataset_id: UUID
    wallet_id: UUID
    left_vnd: int
    shares: tuple[Share, ...]


class Returned(Struct, frozen=True):
    """What gives a part back, to be made all or none; `tax_vnd` of it comes out of the tax."""

    movements: tuple[Movement, ...]
    tax_vnd: int


async def charges_of(session: AsyncSession, query_ids: Iterable[UUID]) -> Mapping[tuple[UUID, UUID], Charge]:
    """By query and dataset."""
    codes = ["query_charge", "query_refund", *REVERSED, *REVERSED.values()]
    rows = await session.execute(_BOOKED, {"queries": list(query_ids), "codes": codes})
    booked: dict[tuple[UUID, UUID], dict[str, tuple[UUID, int]]] = {}
    for row in rows:
        booked.setdefault((row.query_id, row.dataset_id), {})[row.code] = (row.account_id, row.vnd)
    return {key: _charge(key, each) for key, each in booked.items() if "query_charge" in each}


def give_back(charge: Charge, amount_vnd: int, *, reference: str) -> Returned:
    """Raises ValueError for more than is left."""
    if not 0 < amount_vnd <= charge.left_vnd:
        raise ValueError(f"{amount_vnd} of {charge.left_vnd}")
    platform = account_id(None, "platform")
    own = charge.left_vnd - sum(share.left_vnd for share in charge.shares)
    parts = divide(amount_vnd, [*(share.left_vnd for share in charge.shares), own])[:-1]
    moved = [
        (REVERSED[share.code], share.account_id, platform, part)
        for share, part in zip(charge.shares, parts, strict=True)
        if part
    ]
    movements = [
        Movement(
            id=new_id(),
            kind="single",
            code=code,
            debit=debit,
            credit=credit,
            amount=vnd,
            query_id=charge.query_id,
            dataset_id=charge.dataset_id,
            reference=reference,
        )
        for code, debit, credit, vnd in (*moved, ("query_refund", platform, charge.wallet_id, amount_vnd))
    ]
    tax = sum(part for share, part in zip(charge.shares, parts, strict=True) if share.code == "share_tax")
    return Returned(tuple(movements), tax)


def _charge(key: tuple[UUID, UUID], booked: Mapping[str, tuple[UUID, int]]) -> Charge:
    wallet, charged = booked["query_charge"]
    nothing = (wallet, 0)
    return Charge(
        query_id=key[0],
        dataset_id=key[1],
        wallet_id=wallet,
        left_vnd=charged - booked.get("query_refund", nothing)[1],
        shares=tuple(
            Share(code, booked[code][0], booked[code][1] - booked.get(REVERSED[code], nothing)[1])
            for code in _SHARES
            if code in booked
        ),
    )
