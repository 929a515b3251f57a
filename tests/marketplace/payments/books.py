"""What the ledger says of a startup's paid-in money."""

from __future__ import annotations

from uuid import UUID

from marketplace.db.engine import Database
from marketplace.errors import NotFound
from marketplace.ledger.accounts import account_id
from marketplace.ledger.reads import balance, trial_balance

KINDS = ("wallet", "refunding", "disputed", "owed")


async def money(database: Database, organisation_id: UUID) -> dict[str, int]:
    """đồng by account, those with nothing left out."""
    found = {}
    async with database.reading() as session:
        for kind in KINDS:
            try:
                amount = (await balance(session, account_id(organisation_id, kind))).balance
            except NotFound:
                amount = 0
            if amount:
                found[kind] = amount
    return found


async def in_balance(database: Database) -> bool:
    """Debits equal credits, đồng and dollars."""
    async with database.reading() as session:
        return (await trial_balance(session)).balanced
