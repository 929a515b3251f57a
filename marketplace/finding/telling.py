"""Tells those who watch what changed: a new version, none any more, another price, a dataset that a search finds.

Looks at what is, not at what happened: whatever changed a dataset, nobody is told twice, and nothing is missed.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.finding.models import Notice, Watch
from marketplace.listings.models import Dataset
from marketplace.offers.reads import OFFERS, STANDARD
from marketplace.search.ranking import find

AT_ONCE: Final = 500
BACK: Final = timedelta(minutes=15)
"""A dataset is new for so long: its row is older than the transaction in which others see it first."""
_OFFER = f"""
    (select o.id from ({OFFERS}) o where o.dataset_id = d.id and o.state = 'open' and o.startup_id is null
     order by o.name <> '{STANDARD}', o.valid_from desc, o.id desc limit 1)
"""
_SEEN = text(f"select d.current_version_id, {_OFFER} as offer_id from dataset d where d.id = :dataset")
_CHANGED = text(f"""
select * from (
    select w.id, w.person_id, w.dataset_id, w.seen_version_id, w.seen_offer_id, d.current_version_id as version_id,
        {_OFFER} as offer_id
    from watch w join dataset d on d.id = w.dataset_id) as seen
where version_id is distinct from seen_version_id or offer_id is distinct from seen_offer_id
order by id limit {AT_ONCE}
""")
_TOLD = text("update watch set seen_version_id = :version, seen_offer_id = :offer where id = :id")


async def seen_of(session: AsyncSession, dataset_id: UUID, *, at: datetime) -> tuple[str | None, UUID | None]:
    """The version and the public offer that a dataset has now."""
    row = (await session.execute(_SEEN, {"dataset": dataset_id, "at": at})).one()
    return row.current_version_id, row.offer_id


async def tell_changes(database: Database, *, at: datetime) -> int:
    """To whom a watched dataset changed. How many watches."""
    async with database.session() as session:
        rows = (await session.execute(_CHANGED, {"at": at})).all()
        for row in rows:
            if row.version_id != row.seen_version_id:
                code = "new_version" if row.version_id else "withdrawn"
                await _tell(session, row, code, row.version_id or f"after {row.seen_version_id}", at)
            if row.offer_id != row.seen_offer_id:
                await _tell(session, row, "price_changed", str(row.offer_id), at)
            await session.execute(_TOLD, {"id": row.id, "version": row.version_id, "offer": row.offer_id})
    return len(rows)


async def tell_matches(database: Database, *, at: datetime) -> int:
    """Which searches find a dataset that was listed since they were saved. How many notices were looked at."""
    looked = 0
    async with database.session() as session:
        fresh = select(Dataset.id, Dataset.created_at).where(
            Dataset.created_at > at - BACK, Dataset.current_version_id.is_not(None)
        )
        new = (await session.execute(fresh.limit(AT_ONCE))).all()
        saved = (await session.scalars(select(Watch).where(Watch.q.is_not(None)))).all() if new else []
        for dataset in new:
            for watch in saved:
                if watch.made_at > dataset.created_at:
                    continue
                chosen = {name: tuple(values) for name, values in watch.chosen.items()}
                found = await find(session, watch.q or "", at=at, limit=1, chosen=chosen, among=dataset.id)
                if found.hits:
                    await _notice(session, watch.id, watch.person_id, "new_match", dataset.id, str(dataset.id), at)
                    looked += 1
    return looked


async def _tell(session: AsyncSession, row: Any, code: str, reference: str, at: datetime) -> None:
    await _notice(session, row.id, row.person_id, code, row.dataset_id, reference, at)


async def _notice(
    session: AsyncSession,
    watch_id: UUID,
    person_id: UUID,
    code: str,
    dataset_id: UUID,
    reference: str,
    at: datetime,
) -> None:
    values = {
        "id": new_id(), "watch_id": watch_id, "person_id": person_id, "code": code, "dataset_id": dataset_id,
        "reference": reference, "at": at,
    }  # fmt: skip
    await session.execute(insert(Notice).values(values).on_conflict_do_nothing())
