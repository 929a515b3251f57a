"""Tells those who watch what changed: a new version, none any more, another price, a dataset that a search finds;
and the operator's people that a month's close is stuck.

Looks at what is, not at what happened: whatever changed a dataset, nobody is told twice, and nothing is missed.
What cannot be told of one watch is logged and keeps nobody else from being told.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id
from marketplace.db.engine import Database, passing_over
from marketplace.finding.models import Matched, Notice, Watch
from marketplace.listings.models import Dataset
from marketplace.offers.reads import OFFERS, STANDARD
from marketplace.search.ranking import find

AT_ONCE: Final = 500
"""Watches in one transaction."""
DATASETS: Final = 20
"""New ones that are looked at before anything else has its turn."""
SETTLED: Final = timedelta(minutes=2)
"""A dataset so old is seen by all: no transaction that lists one takes longer (the timeouts of `db.engine`)."""
FIRST: Final = UUID(int=0)
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
where id > :after and (version_id is distinct from seen_version_id or offer_id is distinct from seen_offer_id)
order by id limit {AT_ONCE}
""")
_TOLD = text("""
update watch set seen_version_id = :version, seen_offer_id = :offer
where id = :id and seen_version_id is not distinct from :seen_version
    and seen_offer_id is not distinct from cast(:seen_offer as uuid) returning id
""")
# Once for each thing that stands in the way: another difference is told again, a further try is not. From the
# second try on: what was being booked in the same seconds is gone by then.
_STUCK = text("""
insert into watch_notice (id, person_id, code, reference, at)
select gen_random_uuid(), p.id, 'month_stuck', m.period || '/' || m.step || '/' || md5(m.cause || m.told::text),
    :at
from month_step m cross join person p join organisation o on o.id = p.organisation_id and o.kind = 'operator'
where m.state = 'stuck' and m.attempts > 1 and p.deactivated_at is null and o.suspended_at is null
on conflict do nothing returning id
""")


async def seen_of(session: AsyncSession, dataset_id: UUID, *, at: datetime) -> tuple[str | None, UUID | None]:
    """The version and the public offer that a dataset has now."""
    row = (await session.execute(_SEEN, {"dataset": dataset_id, "at": at})).one()
    return row.current_version_id, row.offer_id


async def tell_changes(database: Database, *, at: datetime) -> int:
    """To whom a watched dataset changed. How many watches."""
    after, looked = FIRST, 0
    while True:
        async with database.session() as session:
            rows = (await session.execute(_CHANGED, {"at": at, "after": after})).all()
            for row in rows:
                async with passing_over(session, f"watch {row.id} is not told of a change"):
                    await _tell_change(session, row, at=at)
        looked += len(rows)
        if len(rows) < AT_ONCE:
            return looked
        after = rows[-1].id


async def _tell_change(session: AsyncSession, row: Any, *, at: datetime) -> None:
    told = {
        "id": row.id, "version": row.version_id, "offer": row.offer_id,
        "seen_version": row.seen_version_id, "seen_offer": row.seen_offer_id,
    }  # fmt: skip
    # Only who turns what was seen tells of it: another process may look at the same time.
    if await session.scalar(_TOLD, told) is None:
        return
    if row.version_id != row.seen_version_id:
        code = "new_version" if row.version_id else "withdrawn"
        await _notice(session, row, code, row.dataset_id, row.version_id or row.seen_version_id, at)
    if row.offer_id != row.seen_offer_id:
        await _notice(session, row, "price_changed", row.dataset_id, str(row.offer_id or ""), at)


async def tell_stuck_months(database: Database, *, at: datetime) -> int:
    """Everybody at the operator, of each month whose close is stuck. How many notices."""
    async with database.session() as session:
        return len((await session.execute(_STUCK, {"at": at})).all())


async def tell_matches(database: Database, *, at: datetime) -> int:
    """Which searches find what was listed since they were saved: the next `DATASETS`, in the order of listing.

    How many datasets were looked at; each is once, however long nobody looked.
    """
    async with database.session() as session:
        seen = (await session.scalars(select(Matched))).one()
        after = (seen.created_at, seen.dataset_id)
        new = select(Dataset.id, Dataset.created_at, Dataset.current_version_id)
        new = new.where(tuple_(Dataset.created_at, Dataset.id) > after, Dataset.created_at < at - SETTLED)
        datasets = (await session.execute(new.order_by(Dataset.created_at, Dataset.id).limit(DATASETS))).all()
    for dataset in datasets:
        if dataset.current_version_id is not None:
            await _match(database, dataset, at=at)
        mark = (dataset.created_at, dataset.id)
        on = update(Matched).where(tuple_(Matched.created_at, Matched.dataset_id) < mark)
        async with database.session() as session:
            await session.execute(on.values(created_at=dataset.created_at, dataset_id=dataset.id))
    return len(datasets)


async def _match(database: Database, dataset: Any, *, at: datetime) -> None:
    """A page of searches a transaction; one that is tried again after a crash tells nothing twice."""
    after = FIRST
    while True:
        saved = select(Watch.id, Watch.person_id, Watch.q, Watch.chosen).where(
            Watch.q.is_not(None), Watch.id > after, Watch.made_at <= dataset.created_at
        )
        async with database.session() as session:
            searches = (await session.execute(saved.order_by(Watch.id).limit(AT_ONCE))).all()
            for search in searches:
                async with passing_over(session, f"search {search.id} is not tried on dataset {dataset.id}"):
                    await _try(session, search, dataset.id, at=at)
        if len(searches) < AT_ONCE:
            return
        after = searches[-1].id


async def _try(session: AsyncSession, search: Any, dataset_id: UUID, *, at: datetime) -> None:
    chosen = {name: tuple(values) for name, values in search.chosen.items()}
    found = await find(session, search.q, at=at, limit=1, chosen=chosen, among=dataset_id)
    if found.hits:
        await _notice(session, search, "new_match", dataset_id, str(dataset_id), at)


async def _notice(
    session: AsyncSession, watch: Any, code: str, dataset_id: UUID, reference: str, at: datetime
) -> None:
    values = {
        "id": new_id(), "watch_id": watch.id, "person_id": watch.person_id, "code": code, "dataset_id": dataset_id,
        "reference": reference, "at": at,
    }  # fmt: skip
    await session.execute(insert(Notice).values(values).on_conflict_do_nothing())
