"""Which payments and payouts moved since an instant, by Stripe's events and by our own books."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import EPOCH
from marketplace.ledger.outside import agreed_until
from marketplace.payments.errors import ProviderRefused
from marketplace.payments.provider import Provider, SeenPayment
from marketplace.payouts.carrier import SeenTransfer

OVERLAP: Final = timedelta(days=3)
KEPT: Final = timedelta(days=25)
"""Stripe keeps events for thirty days; what agreed longer ago is read from the beginning."""
_MOVED = """
    with moved as (select distinct reference from transfer where at >= :since and reference is not null
        and (debit_account_id in (select id from account where kind = 'funding')
             or credit_account_id in (select id from account where kind = 'funding')))
"""
_PAYMENTS = text(f"""{_MOVED}
    select p.id from moved m join payment p on m.reference = 'stripe:' || p.id
    union select r.payment_id from moved m
        join refund r on m.reference in ('refund:' || r.id, 'stripe:' || r.provider_id)
    union select d.payment_id from moved m join dispute d on m.reference = 'stripe:' || d.id
""")
_TRANSFERS = text(f"""{_MOVED}
    select t.transfer_id from moved m join payout p on p.reference = m.reference
    join payout_transfer t on t.payout_id = p.id where t.transfer_id is not null
""")


async def reading_since(session: AsyncSession, *names: str, until: datetime) -> datetime:
    """Where a reading of these begins: some days before where all of them last agreed, else at the beginning."""
    agreed = [await agreed_until(session, name) or EPOCH for name in names]
    return EPOCH if min(agreed) < until - KEPT else min(agreed) - OVERLAP


async def payments_moved(session: AsyncSession, provider: Provider, since: datetime) -> AsyncIterator[SeenPayment]:
    """Each as it stands, with all that followed. Raises ProviderUnavailable."""
    seen: set[str] = set()
    async for each in provider.payments(since):
        seen.add(each.id)
        yield each
    for payment_id in await _more(session, provider, since, "payment") - seen:
        try:
            yield await provider.payment(payment_id)
        except ProviderRefused:  # Stripe has none such: then the ledger's is a difference
            continue


async def transfers_moved(
    session: AsyncSession, provider: Provider, since: datetime
) -> AsyncIterator[SeenTransfer]:
    """Each as it stands, with what was taken back. Raises ProviderUnavailable."""
    seen: set[str] = set()
    async for each in provider.transfers(since):
        seen.add(each.id)
        yield each
    for transfer_id in await _more(session, provider, since, "transfer") - seen:
        try:
            yield await provider.transfer(transfer_id)
        except ProviderRefused:
            continue


async def _more(session: AsyncSession, provider: Provider, since: datetime, about: str) -> set[str]:
    """Of those made before, what moved since. From the beginning there is nothing before."""
    if since == EPOCH:
        return set()
    booked = await session.scalars(_PAYMENTS if about == "payment" else _TRANSFERS, {"since": since})
    told = {each.object_id async for each in provider.notices(since) if each.about == about}
    return told | set(booked.all())
