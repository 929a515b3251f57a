"""Which accounts a party needs: a startup pays from its wallet, an owner earns."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.models import Organisation
from marketplace.ledger.accounts import open_account

EXCHANGE = ("funding", "platform", "state_budget", "vat")
"""Accounts of no organisation: money paid in from outside; our share; the state budget's; the tax in prices."""


async def ensure_accounts(session: AsyncSession, organisation: Organisation) -> None:
    """Open what the organisation's kind needs, and the exchange's own; again is harmless."""
    for kind in EXCHANGE:
        await open_account(session, organisation_id=None, kind=kind)
    if organisation.kind == "startup":
        await open_account(session, organisation_id=organisation.id, kind="wallet", floor=0)
    if organisation.kind == "owner":
        await open_account(session, organisation_id=organisation.id, kind="earnings")
