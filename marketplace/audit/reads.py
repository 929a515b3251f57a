"""What is shown of the log: events to those who may see them, receipts, and what a dataset's counter says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.canonical import plain
from marketplace.audit.leaf import chain_key, read_leaf
from marketplace.audit.models import AuditLeaf, Event
from marketplace.db.base import EPOCH, ms_of
from marketplace.db.engine import Database

EVENT_FIELDS = (
    "id", "at", "name", "actor_person_id", "actor_organisation_id", "parties", "dataset_id", "agreement_id",
    "query_id", "purpose", "version_id", "revision", "bytes", "price_vnd", "body",
)  # fmt: skip
"""What a commitment is over; their order does not matter, canonical JSON sorts them."""
DECIDED = ("query:settle", "query:deny", "query:void", "quote:deny")
"""Events that tell a decision on a query or a quote."""

NEWEST = text("select max(at) as at from event")
"""Not that of the largest id: a process whose clock was set back goes on with larger ids, at earlier instants."""

View = Literal["regulator", "owner", "startup", "operator"]


class Viewer(Struct, frozen=True):
    """On whose behalf the log is read. regulator: all; owner, startup: what concerns them; operator: all, without
    bodies."""

    person_id: UUID
    organisation_id: UUID
    view: View

    @property
    def sees_all(self) -> bool:
        return self.view in ("regulator", "operator")


class EventView(Struct, frozen=True, kw_only=True):
    """An event as its viewer may see it; `salt` (hex) opens `commitment` (hex), both None for the operator.

    Instants are milliseconds. `leaf_index` and `link` (hex) are None until the sequencer has come by.
    `dataset_counter` and `dataset_previous` are for owner and regulator: a startup would learn of others' queries.
    """

    id: UUID
    at: int
    name: str
    actor_person_id: UUID | None
    actor_organisation_id: UUID | None
    parties: tuple[UUID, ...]
    dataset_id: UUID | None
    agreement_id: UUID | None
    query_id: UUID | None
    purpose: str | None
    version_id: str | None
    revision: int | None
    bytes: int | None
    price_vnd: int | None
    body: dict[str, Any] | None
    commitment: str
    salt: str | None
    leaf_index: int | None
    link: str | None
    dataset_counter: int | None
    dataset_previous: int | None
    proof: str | None
    """Where its inclusion is proved; for everybody, for it names nobody."""

    @property
    def decision_id(self) -> UUID | None:
        """Of the decision on a query or quote that it tells: what that stood on is kept under this id."""
        if self.name not in DECIDED or not self.body or "decision" not in self.body:
            return None
        return UUID(self.body["decision_id"]) if "decision_id" in self.body else self.query_id


class Completeness(Struct, frozen=True):
    """Of one dataset: how many leaves count for it, and which counters are not as due (none, if whole).

    `chain_key` (hex): keys the links of its leaves, so that its owner can look for them (docs/verify.md)."""

    leaves: int
    newest: int | None
    wrong: tuple[int, ...]
    chain_key: str


def event_of(row: Event) -> dict[str, Any]:
    """The event as its commitment sees it."""
    fields: dict[str, Any] = plain({name: getattr(row, name) for name in EVENT_FIELDS if name != "body"})
    # Not made plain, nor rounded: what was changed in the database must not come out as it was logged.
    microseconds = (row.at - EPOCH) // timedelta(microseconds=1)
    exact_ms = microseconds % 1000 == 0
    return fields | {"body": row.body, "at": microseconds // 1000 if exact_ms else microseconds / 1000}


async def concerns(session: AsyncSession, viewer: Viewer, dataset_id: UUID) -> bool:
    """Whether the viewer may see any event of the dataset."""
    mine = select(Event.id).where(Event.dataset_id == dataset_id)
    if not viewer.sees_all:
        mine = mine.where(Event.parties.contains([viewer.organisation_id]))
    return bool(await session.scalar(select(mine.exists())))


async def completeness(session: AsyncSession, dataset_id: UUID, *, salt_key: bytes) -> Completeness:
    """Whether the dataset's counter runs from 0 without gap (invariant 7)."""
    wrong = await session.scalars(
        text("""
            SELECT dataset_counter FROM (
                SELECT dataset_counter, dataset_previous, row_number() OVER chain - 1 AS due,
                    lag(index) OVER chain AS p
                FROM audit_leaf WHERE dataset_id = :id WINDOW chain AS (ORDER BY index)
            ) AS leaf WHERE dataset_counter IS DISTINCT FROM due OR dataset_previous IS DISTINCT FROM p
            ORDER BY due LIMIT 100
        """),
        {"id": dataset_id},
    )
    counted = await session.execute(
        text("SELECT count(*), max(dataset_counter) FROM audit_leaf WHERE dataset_id = :id"), {"id": dataset_id}
    )
    leaves, newest = counted.one()
    return Completeness(leaves, newest, tuple(wrong), chain_key(salt_key, dataset_id).hex())


def event_view(viewer: Viewer, row: Event, *, salt: bytes | None, leaf: AuditLeaf | None) -> EventView:
    """What the viewer may see of an event."""
    fields = {name: getattr(row, name) for name in EVENT_FIELDS} | {"parties": tuple(row.parties)}
    opened = viewer.view != "operator"
    counted = leaf if viewer.view in ("owner", "regulator") else None
    return EventView(
        **(fields | {"at": plain(row.at), "body": row.body if opened else None}),
        commitment=row.commitment.hex(),
        salt=salt.hex() if opened and salt is not None else None,
        leaf_index=leaf.index if leaf else None,
        link=read_leaf(leaf.data).l if leaf else None,
        dataset_counter=counted.dataset_counter if counted else None,
        dataset_previous=counted.dataset_previous if counted else None,
        proof=f"/api/v1/audit/proof?leaf={leaf.index}" if leaf else None,
    )


async def newest_event_ms(database: Database) -> int:
    """The latest instant that the log has seen; 0 for an empty one."""
    found = await database.one(NEWEST, {})
    return ms_of(found.at) if found and found.at else 0
