"""What Stripe says it moved for us, for `ledger.reconcile`: payments in, refunds and lost disputes out.

A payment that no order of ours knows is told too: the ledger does not have it, and that is a difference until it
was given back there. What is being booked at this moment may be one for a moment: ask again.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.ledger.accounts import account_id
from marketplace.ledger.outside import Outside, OutsideRecord
from marketplace.payments.moved import payments_moved, transfers_moved
from marketplace.payments.provider import Provider, SeenPayment

CURRENCIES = {"VND": "", "USD": "_usd"}
"""Currency → what the codes of its transfers end in."""
SIDES = {"VND": "stripe", "USD": "stripe USD"}
"""Currency → name of the other side: each agrees or differs by itself."""
STEPS = ("top_up", "refund", "refund_back", "dispute_taken")
_REFUNDS = text("""
    select r.provider_id, 'refund:' || r.id as reference,
           exists (select from transfer t where t.reference = 'refund:' || r.id and t.code = 'refund') as crossed
    from refund r where r.provider_id is not null
""")
_BOOKED = text("select id from payment where id = any(:ids)")


async def stripe_outside(
    session: AsyncSession, provider: Provider, *, since: datetime, until: datetime
) -> tuple[Outside, ...]:
    """One for each currency. Raises ProviderUnavailable."""
    known = {row.provider_id: (row.reference, row.crossed) for row in await session.execute(_REFUNDS)}
    moved = payments_moved(session, provider, since)
    seen = [each async for each in moved if each.at < until and each.state == "paid"]
    booked = set(await session.scalars(_BOOKED, {"ids": [each.id for each in seen]}))
    return tuple(
        Outside(
            name=SIDES[currency],
            account_id=account_id(None, "funding", currency),
            codes=tuple(f"{step}{ending}" for step in STEPS),
            since=since,
            until=until,
            totals=True,
            records=[
                record
                for each in seen
                if each.currency == currency
                for record in (_records(each, known) if each.id in booked else _strange(each))
            ],
        )
        for currency, ending in CURRENCIES.items()
    )


async def payouts_outside(
    session: AsyncSession, provider: Provider, *, since: datetime, until: datetime
) -> Outside:
    """What went out to owners' accounts there, less what was taken back. Raises ProviderUnavailable."""
    seen = [each async for each in transfers_moved(session, provider, since)]
    return Outside(
        name="stripe payouts",
        account_id=account_id(None, "funding"),
        codes=("payout_sent", "payout_reversed"),
        since=since,
        until=until,
        totals=True,
        records=[
            OutsideRecord(
                reference=each.reference or each.id,
                amount=sum(one.amount_vnd for one in each.reversals) - each.amount_vnd,
            )
            for each in seen
        ],
    )


def _strange(payment: SeenPayment) -> Iterator[OutsideRecord]:
    """One that is not booked: what is left of it, so whoever paid past us can be given it back, and it is over."""
    back = sum(refund.amount for refund in payment.refunds if refund.state == "paid")
    lost = sum(dispute.amount for dispute in payment.disputes if dispute.state == "lost")
    yield OutsideRecord(reference=f"stripe:{payment.id}", amount=payment.amount - min(back + lost, payment.amount))


def _records(payment: SeenPayment, known: dict[str, tuple[str, bool]]) -> Iterator[OutsideRecord]:
    yield OutsideRecord(reference=f"stripe:{payment.id}", amount=payment.amount)
    for refund in payment.refunds:
        reference, crossed = known.get(refund.id, (f"stripe:{refund.id}", False))
        if refund.state == "paid":
            yield OutsideRecord(reference=reference, amount=-refund.amount)
        elif refund.state == "failed" and crossed:  # it went out and came back: together nothing
            yield OutsideRecord(reference=reference, amount=0)
    for dispute in payment.disputes:
        if dispute.state == "lost":
            lost = min(dispute.amount, payment.amount)
            yield OutsideRecord(reference=f"stripe:{dispute.id}", amount=-lost)
