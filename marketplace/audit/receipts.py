"""Receipts as their parties may have them: of a query, and of every other decision that the log tells."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.errors import ReceiptPending, SettlementDiffers
from marketplace.audit.facttree import Head, Opened, closed_whole
from marketplace.audit.models import AuditLeaf, Event, EventSalt
from marketplace.audit.proofs import inclusion_proof, newest_checkpoint, witnessed_checkpoint
from marketplace.audit.reads import event_of
from marketplace.audit.receipt import Edition, LogProof, Receipt, opens
from marketplace.audit.sealing import Kept, kept_of
from marketplace.audit.settlement import opens_settled, read_settled
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.verifier.receipt import repeated

RECEIPTED = (
    "query:settle", "query:deny", "query:void", "quote:deny", "application:apply", "application:resubmit",
    "application:accept", "application:deny", "dataset:publish", "dataset:refuse",
)  # fmt: skip
"""Events that tell a decision."""
_OF_PARTY: dict[str, Edition] = {"startup": "startup", "owner": "owner"}


async def receipt_for(
    session: AsyncSession, keys: Keys, decision_id: UUID, *, kind: str, organisation_id: UUID
) -> Receipt:
    """The receipt in the edition of who asks for it: a party of the decision, or the regulator.

    Raises NotFound, also for what is none of their business; ReceiptPending, FactsUnreadable.
    """
    event = await _event(session, decision_id)
    edition = _edition(event, kind, organisation_id) if event else None
    if edition is None:
        raise NotFound(what="decision")
    found = await receipt(session, keys, decision_id, edition=edition)
    if found is None:
        raise ReceiptPending(decision_id=str(decision_id))
    return found


async def receipt(session: AsyncSession, keys: Keys, decision_id: UUID, *, edition: Edition) -> Receipt | None:
    """The receipt for one kind of party; None until a published tree has its event. Raises FactsUnreadable.

    What was erased stays closed.
    """
    row = await _event(session, decision_id)
    proven = await receipt_of_event(session, row) if row else None
    if row is None or proven is None:
        return None
    kept = await kept_of(session, keys, decision_id)
    return msgspec.structs.replace(
        proven,
        facts=_opened(proven.event["body"].get("facts"), kept, edition),
        settled=await _settled(session, row, kept, edition),
    )


async def receipt_of_event(session: AsyncSession, row: Event) -> Receipt | None:
    """The event alone and the log's proof of it, no facts; None until a published tree has it."""
    leaf = await session.scalar(select(AuditLeaf).where(AuditLeaf.event_id == row.id))
    salt = await session.get(EventSalt, row.id)
    if leaf is None or salt is None:
        return None
    witnessed = await witnessed_checkpoint(session, above=leaf.index)
    checkpoint = witnessed or await newest_checkpoint(session)
    if checkpoint is None or checkpoint.size <= leaf.index:
        return None
    proof = await inclusion_proof(session, leaf.index, checkpoint.size)
    event = event_of(row)
    return Receipt(
        version=4,
        **repeated(event),
        event=event,
        salt=salt.salt.hex(),
        facts=None,
        settled=None,
        log=LogProof(leaf.index, leaf.data.decode(), proof.hashes, checkpoint.note),
    )


async def _event(session: AsyncSession, decision_id: UUID) -> Event | None:
    """The newest that tells the decision; one of a query that names none is of that with the query's id."""
    named = Event.body["decision_id"].astext
    its_own = and_(Event.query_id == decision_id, named.is_(None))
    told = select(Event).where(or_(its_own, named == str(decision_id)), Event.name.in_(RECEIPTED))
    return await session.scalar(told.order_by(Event.at.desc()).limit(1))


def _edition(event: Event, kind: str, organisation_id: UUID) -> Edition | None:
    if kind == "regulator":
        return "regulator"
    return _OF_PARTY.get(kind) if organisation_id in event.parties else None


def _opened(head: dict[str, object] | None, kept: Kept | None, edition: Edition) -> Opened | None:
    if head is None:
        return None
    if kept is None:
        return closed_whole(msgspec.convert(head, Head))
    tree = kept.tree
    document = tree.schema.partition("/")[0]
    return tree.opened(lambda name: opens(document, edition, name))


async def _settled(session: AsyncSession, event: Event, kept: Kept | None, edition: Edition) -> Opened | None:
    """Raises SettlementDiffers."""
    told = event.body.get("settled")
    if told is None or event.query_id is None or event.dataset_id is None:
        return None
    head = msgspec.convert(told, Head)
    if kept is None:
        return closed_whole(head)
    found = await read_settled(session, event.query_id, event.dataset_id, kept.seed)
    if found is None or found.head != head:
        raise SettlementDiffers(query_id=str(event.query_id))
    return found.opened(lambda name: opens_settled(edition, name))
