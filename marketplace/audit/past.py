"""The decisions that were made, read as a stream: however many there are, a few hundred are in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from sqlalchemy import select, tuple_

from marketplace.audit.models import DecisionRow
from marketplace.audit.sealing import unseal
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from policies.replay import Past

CHUNK_DECISIONS = 256


async def past_decisions(
    database: Database, keys: Keys, *, since: datetime | None, until: datetime
) -> AsyncIterator[Past]:
    """Every decision from `since` (included) to `until` (not), oldest first, but what was erased.

    Raises FactsUnreadable."""
    query = select(DecisionRow).where(DecisionRow.at < until).order_by(DecisionRow.at, DecisionRow.id)
    if since is not None:
        query = query.where(DecisionRow.at >= since)
    chunk = query.limit(CHUNK_DECISIONS)
    while True:
        async with database.reading() as session:
            rows = (await session.execute(chunk)).scalars().all()
        for row in rows:
            kept = unseal(keys, decision_id=row.id, key_id=row.key_id, sealed=row.sealed)
            yield Past(name=str(row.id), question=bytes(kept.question), decision=kept.decision)
        if len(rows) < CHUNK_DECISIONS:
            return
        last = (rows[-1].at, rows[-1].id)
        chunk = query.where(tuple_(DecisionRow.at, DecisionRow.id) > last).limit(CHUNK_DECISIONS)
