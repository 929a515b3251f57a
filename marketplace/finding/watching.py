"""Watches and what they told: add, remove, list, mark as read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.errors import NotFound
from marketplace.finding.errors import TooManyWatches
from marketplace.finding.models import Notice, Watch
from marketplace.finding.telling import seen_of
from marketplace.listings.models import Dataset
from marketplace.listings.reads import dataset_id_of
from marketplace.search.facets import FACETS

WATCHES = 50
"""Of one person."""
NOTICES = 100
Value = Annotated[str, Meta(max_length=200)]
_UNREAD = text("select count(*) as unread from watch_notice where person_id = :person_id and read_at is null")


class WatchBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A dataset (id or slug), or a search: `q` with what is chosen of the facets."""

    dataset: Value | None = None
    q: Value = ""
    chosen: dict[str, Annotated[tuple[Value, ...], Meta(max_length=20)]] = {}


class WatchView(Struct, frozen=True, kw_only=True):
    """`listed`: the dataset has a page now."""

    id: UUID
    dataset: str | None
    title_vi: str | None
    title_en: str | None
    listed: bool
    q: str | None
    chosen: dict[str, Any]
    made_at: datetime


class NoticeView(Struct, frozen=True, kw_only=True):
    """`listed`: the dataset has a page. `code`, of a watch: new_version | withdrawn | price_changed | new_match.

    Of an `application`: application_waits, to the owner's approvers; application_accepted | application_returned |
    application_rejected. Of an `agreement`: agreement_ends, a week before; agreement_ended, by the other side.
    To people of the operator of a `month` (YYYY-MM): month_stuck, which is of no dataset."""

    id: UUID
    watch_id: UUID | None
    code: str
    dataset: str | None
    listed: bool
    title_vi: str | None
    title_en: str | None
    month: str | None
    application: UUID | None
    agreement: UUID | None
    at: datetime
    read: bool


class Watched(Struct, frozen=True, kw_only=True):
    """All that one watches, and the newest notices."""

    watches: tuple[WatchView, ...]
    notices: tuple[NoticeView, ...]
    unread: int


async def add_watch(session: AsyncSession, *, asked: WatchBody, by: Caller, at: datetime) -> None:
    """From now on; the same again changes nothing. Raises NotFound, TooManyWatches."""
    dataset_id = await dataset_id_of(session, asked.dataset) if asked.dataset else None
    if asked.dataset and dataset_id is None:
        raise NotFound
    # One at a time of a person, or two at once would both find room.
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(by.person_id), 26))))
    count = await session.scalar(select(func.count()).select_from(Watch).where(Watch.person_id == by.person_id))
    chosen = {name: sorted(set(values)) for name, values in sorted(asked.chosen.items()) if name in FACETS}
    version_id, offer_id = await seen_of(session, dataset_id, at=at) if dataset_id else (None, None)
    values = {
        "id": new_id(), "person_id": by.person_id, "dataset_id": dataset_id, "made_at": at,
        "q": None if dataset_id else asked.q.strip().replace("\x00", ""), "chosen": {} if dataset_id else chosen,
        "seen_version_id": version_id, "seen_offer_id": offer_id,
    }  # fmt: skip
    async with session.begin_nested():
        new = await session.scalar(insert(Watch).values(values).on_conflict_do_nothing().returning(Watch.id))
        if new is not None and (count or 0) >= WATCHES:
            raise TooManyWatches(most=WATCHES)


async def remove_watch(session: AsyncSession, *, watch_id: UUID, by: Caller) -> None:
    """With its notices. Raises NotFound."""
    mine = delete(Watch).where(Watch.id == watch_id, Watch.person_id == by.person_id).returning(Watch.id)
    if await session.scalar(mine) is None:
        raise NotFound


async def mark_read(session: AsyncSession, *, by: Caller, at: datetime) -> None:
    """All that one was told so far."""
    unread = (Notice.person_id == by.person_id, Notice.read_at.is_(None))
    await session.execute(update(Notice).where(*unread).values(read_at=at))


async def unread_of(database: Database, person_id: UUID) -> int:
    """How many notices a person has not read; one round trip."""
    row = await database.one(_UNREAD, {"person_id": person_id})
    return int(row.unread) if row else 0


async def read_watched(session: AsyncSession, *, person_id: UUID) -> Watched:
    """The newest first."""
    rows = select(Watch, Dataset).outerjoin(Dataset, Dataset.id == Watch.dataset_id)
    rows = rows.where(Watch.person_id == person_id).order_by(Watch.id.desc())
    told = select(Notice, Dataset).outerjoin(Dataset, Dataset.id == Notice.dataset_id)
    told = told.where(Notice.person_id == person_id).order_by(Notice.id.desc()).limit(NOTICES)
    unread = (Notice.person_id == person_id, Notice.read_at.is_(None))
    return Watched(
        watches=tuple(_watch(watch, dataset) for watch, dataset in await session.execute(rows)),
        notices=tuple(_notice(notice, dataset) for notice, dataset in await session.execute(told)),
        unread=await session.scalar(select(func.count()).select_from(Notice).where(*unread)) or 0,
    )


async def watch_of(session: AsyncSession, *, person_id: UUID, dataset_id: UUID) -> UUID | None:
    """The watch of that person on that dataset."""
    mine = (Watch.person_id == person_id, Watch.dataset_id == dataset_id)
    return await session.scalar(select(Watch.id).where(*mine))


def _watch(watch: Watch, dataset: Dataset | None) -> WatchView:
    return WatchView(
        id=watch.id,
        dataset=dataset.slug if dataset else None,
        title_vi=dataset.title_vi if dataset else None,
        title_en=dataset.title_en if dataset else None,
        listed=dataset is not None and dataset.current_version_id is not None,
        q=watch.q,
        chosen=watch.chosen,
        made_at=watch.made_at,
    )


def _notice(notice: Notice, dataset: Dataset | None) -> NoticeView:
    kind, reference = notice.code.partition("_")[0], notice.reference.partition("/")[0]
    return NoticeView(
        id=notice.id,
        watch_id=notice.watch_id,
        code=notice.code,
        dataset=dataset.slug if dataset else None,
        listed=dataset is not None and dataset.current_version_id is not None,
        title_vi=dataset.title_vi if dataset else None,
        title_en=dataset.title_en if dataset else None,
        month=reference if kind == "month" else None,
        application=UUID(reference) if kind == "application" else None,
        agreement=UUID(reference) if kind == "agreement" else None,
        at=notice.at,
        read=notice.read_at is not None,
    )
