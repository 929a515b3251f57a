"""Owners' statements of a month that is closed: they add up, and their hashes stand in the log."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import insert, text

from marketplace.audit.actions import record
from marketplace.audit.canonical import canonical
from marketplace.closing.errors import StatementDiffers
from marketplace.closing.models import OwnerStatement
from marketplace.db.engine import Database
from marketplace.invoices.months import Month
from marketplace.payouts.reads import read_statement
from marketplace.payouts.schemas import Statement

_OWNERS = text("""
    select o.id from organisation o where o.kind = 'owner' and o.created_at < :until
    and not exists (select from owner_statement s where s.period = :period and s.owner_id = o.id) order by o.id
""")
_COUNT = text("select count(*) as statements from owner_statement where period = :period")


async def issue_statements(database: Database, *, month: Month, at: datetime) -> int:
    """Of every owner that has none yet, each in a transaction of its own. How many the month has.

    Raises StatementDiffers, once all others have theirs."""
    wrong: StatementDiffers | None = None
    for row in await database.all(_OWNERS, {"period": month.period, "until": month.until}):
        try:
            await _issue(database, row.id, month.period, at)
        except StatementDiffers as differs:
            wrong = wrong or differs
    if wrong is not None:
        raise wrong
    counted = await database.one(_COUNT, {"period": month.period})
    return int(counted.statements) if counted else 0


def sha256_of(statement: Statement) -> str:
    """Of its canonical JSON without the datasets' short names, which may change: in hex."""
    told = msgspec.to_builtins(statement)
    for line in told["lines"]:
        del line["dataset_slug"]
    return hashlib.sha256(canonical(told)).hexdigest()


async def _issue(database: Database, owner_id: UUID, period: str, at: datetime) -> None:
    async with database.session() as session:
        statement = await read_statement(session, owner_id, period)
        moved_vnd = statement.earned_vnd - statement.paid_out_vnd + statement.returned_vnd
        if statement.opening_vnd + moved_vnd != statement.closing_vnd:
            raise StatementDiffers(
                owner=str(owner_id),
                expected_vnd=statement.opening_vnd + moved_vnd,
                found_vnd=statement.closing_vnd,
            )
        row = {"period": period, "owner_id": owner_id, "sha256": sha256_of(statement), "at": at}
        figures = {"earned_vnd": statement.earned_vnd, "closing_vnd": statement.closing_vnd}
        await session.execute(insert(OwnerStatement).values(**row, **figures))
        body = {"period": period, "sha256": row["sha256"], **figures}
        await record(session, "statement:issue", parties=(owner_id,), body=body)
