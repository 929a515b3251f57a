"""What the exchange can tell a person about herself. Statements do not grow in number with the datasets."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.audit.erasing import NEARBY
from marketplace.audit.errors import ReceiptPending
from marketplace.audit.models import Event
from marketplace.audit.receipt import Receipt
from marketplace.audit.receipts import receipt_of_event
from marketplace.config import Config
from marketplace.consents.actions import NAMES
from marketplace.consents.errors import SaidInAFile
from marketplace.consents.schemas import ConsentReceipt, Said
from marketplace.db.base import ms_of, utcnow
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.subjects.schemas import MyDataset, MyDatasets, MyPurpose, MyReceipts, State
from marketplace.subjects.standing import Listed, Mine, shown_for, stand
from marketplace.subjects.use import Counts, Shown, count_use, full_steps, in_bands, months_until

MOST_EVENTS = 10_000
MOST_RECEIPTS = 200
EXPIRED = "expired"
"""Nobody's word: the clock wrote it down."""

SAID: dict[str, Said] = {"given": "given", "withdrawn": "withdrawn", "revoked": "revoked"}
STATES: dict[str, State] = {"given": "given", "withdrawn": "withdrawn", "revoked": "revoked"}

_DATASETS = text("""
    SELECT d.id, d.slug, d.title_vi, d.title_en, concat_ws(' + ', o.name, b.name) AS owner_name, d.lineage_id,
        v.id AS version_id, v.number AS version, v.created_at AS released_at,
        d.manifest -> 'purposes' AS purposes, v.body ->> 'legal_basis' AS legal_basis,
        coalesce(d.manifest -> 'legal_basis' ->> 'law', '') AS law
    FROM dataset d JOIN organisation o ON o.id = d.owner_id LEFT JOIN organisation b ON b.id = d.partner_id
    JOIN LATERAL (SELECT * FROM dataset_version WHERE dataset_id = d.id ORDER BY number DESC LIMIT 1) v ON true
    WHERE d.manifest ->> 'privacy_unit' = 'column' ORDER BY d.slug
""")
_EVENTS = text("""
    SELECT e.id, e.dataset_id, e.purpose, e.event, e.at, e.expires_at, e.notice_sha256, e.recorded_at
    FROM unnest(CAST(:datasets AS uuid[]), CAST(:names AS bytea[])) AS mine (dataset_id, subject)
    JOIN consent_event e ON e.dataset_id = mine.dataset_id AND e.subject = mine.subject
    ORDER BY e.at DESC, e.event = 'given', e.recorded_at DESC LIMIT :most
""")
"""In the order of `consents.newest`: the first of a purpose that is somebody's word is the one that counts."""
_VERSIONS = text("""
    SELECT id, dataset_id, created_at FROM (
        SELECT id, dataset_id, created_at, lead(created_at) OVER (PARTITION BY dataset_id ORDER BY number) AS until
        FROM dataset_version WHERE dataset_id = ANY(CAST(:datasets AS uuid[]))
    ) AS version WHERE until IS NULL OR until > :since
""")


class _Event(Struct, frozen=True, kw_only=True):
    """A line of the register about the person."""

    id: UUID
    dataset_id: UUID
    purpose: str
    event: str
    at: datetime
    expires_at: datetime | None
    notice_sha256: bytes | None
    recorded_at: datetime


class Found(Struct, frozen=True, kw_only=True):
    """Where a person stands in every dataset, and what the register has of her, newest first."""

    mine: tuple[Mine, ...]
    events: tuple[_Event, ...]


async def find(session: AsyncSession, *, subject: str, store: Store, keys: Keys) -> Found:
    """Look a person up, in two statements and a bisection a dataset."""
    rows = await session.execute(_DATASETS)
    listed = [Listed(**{**row._mapping, "purposes": tuple(row.purposes)}) for row in rows]
    mine = await asyncio.to_thread(stand, store, keys, subject, listed)
    asked = {
        "datasets": [each.dataset.id for each in mine],
        "names": [each.pseudonym for each in mine],
        "most": MOST_EVENTS,
    }
    events = tuple(_Event(**row._mapping) for row in await session.execute(_EVENTS, asked))
    return Found(mine=tuple(mine), events=events)


async def my_datasets(session: AsyncSession, found: Found, *, store: Store, config: Config) -> MyDatasets:
    """The datasets that hold data about a person, what was consented to, and how often it was used."""
    events = found.events
    spoken = {each.dataset_id for each in events}
    mine = [each for each in found.mine if each.shown_for is not None or each.dataset.id in spoken]
    now = utcnow()
    until = full_steps(now, config.subject_usage_refresh_s)
    months, since = months_until(now)
    shown = await _shown(session, mine, events, store, since=since, until=until)
    counts = await count_use(session, shown, since=since, least_companies=config.subject_sector_min_companies)
    return MyDatasets(items=tuple(_dataset(each, events, counts, months) for each in mine), use_until=ms_of(until))


def my_receipts(found: Found) -> MyReceipts:
    """What was said for or by a person, newest first."""
    said = [each for each in found.events if each.event != EXPIRED]
    return MyReceipts(tuple(_receipt(each) for each in said[:MOST_RECEIPTS]))


def my_receipt(found: Found, receipt_id: UUID) -> ConsentReceipt:
    """One of a person's own receipts. Raises NotFound, also for another person's."""
    for each in found.events:
        if each.id == receipt_id and each.event != EXPIRED:
            return _receipt(each)
    raise NotFound(what="receipt")


async def my_proof(session: AsyncSession, found: Found, receipt_id: UUID) -> Receipt:
    """The log's proof of what was said, which verifies offline.

    Raises NotFound as `my_receipt`, ReceiptPending, SaidInAFile."""
    mine = my_receipt(found, receipt_id)
    said = next(each for each in found.events if each.id == receipt_id)
    logged = select(Event).where(
        Event.dataset_id == said.dataset_id,
        Event.at.between(said.recorded_at - NEARBY, said.recorded_at + NEARBY),
        Event.name == NAMES[mine.event],
        Event.body["consent_event_id"].astext == str(receipt_id),
    )
    event = await session.scalar(logged)
    if event is None:
        raise SaidInAFile
    proof = await receipt_of_event(session, event)
    if proof is None:
        raise ReceiptPending(decision_id=str(receipt_id))
    return proof


async def _shown(
    session: AsyncSession,
    mine: Iterable[Mine],
    events: Iterable[_Event],
    store: Store,
    *,
    since: datetime,
    until: datetime,
) -> list[Shown]:
    """For what, and until when, versions of the last months were released with the person in them.

    Ended by her own withdrawals only: that her cohort went with another's is not hers to learn.
    """
    names = {each.dataset.id: each.pseudonym for each in mine if each.shown_for is not None}
    withdrawn: dict[tuple[UUID, str], list[datetime]] = defaultdict(list)
    for each in events:
        if each.event != "given":
            withdrawn[each.dataset_id, each.purpose].append(each.recorded_at)
    versions = (await session.execute(_VERSIONS, {"datasets": list(names), "since": since})).all()
    found = []
    for version in versions:
        purposes = await asyncio.to_thread(shown_for, store, version.id, names[version.dataset_id])
        for purpose in purposes or ():
            ends = [at for at in withdrawn[version.dataset_id, purpose] if at >= version.created_at]
            found.append(Shown(version_id=version.id, purpose=purpose, until=min([until, *ends])))
    return found


def _dataset(mine: Mine, events: Iterable[_Event], counts: Counts, months: Sequence[str]) -> MyDataset:
    dataset, holds = mine.dataset, mine.shown_for is not None
    newest: dict[str, _Event] = {}
    for each in events:
        if each.dataset_id == dataset.id and each.event != EXPIRED:
            newest.setdefault(each.purpose, each)
    return MyDataset(
        dataset_id=dataset.id, slug=dataset.slug, title_vi=dataset.title_vi, title_en=dataset.title_en,
        owner_name=dataset.owner_name, version=dataset.version, released_at=ms_of(dataset.released_at),
        holds_data=holds, legal_basis=dataset.legal_basis, law=dataset.law,
        purposes=tuple(
            MyPurpose(
                purpose=purpose,
                state=_state(mine, newest.get(purpose), purpose),
                said_at=ms_of(newest[purpose].at) if purpose in newest else None,
                use=in_bands(counts.get((dataset.id, purpose), {}), months) if holds else (),
            )
            for purpose in dataset.purposes
        ),
    )  # fmt: skip


def _state(mine: Mine, said: _Event | None, purpose: str) -> State:
    if said is not None:
        over = said.expires_at is not None and said.expires_at <= utcnow()
        return "expired" if over else STATES[said.event]
    if mine.dataset.legal_basis != "consent":
        return "other_basis"
    return "given" if purpose in (mine.shown_for or ()) else "none"


def _receipt(event: _Event) -> ConsentReceipt:
    return ConsentReceipt(
        id=event.id,
        dataset_id=event.dataset_id,
        purpose=event.purpose,
        event=SAID[event.event],
        at=ms_of(event.at),
        expires_at=ms_of(event.expires_at) if event.expires_at else None,
        notice_sha256=event.notice_sha256.hex() if event.notice_sha256 else None,
        recorded_at=ms_of(event.recorded_at),
    )
