"""Denials told: with the nearest request that is allowed, the same however often the denied one is repeated."""

from __future__ import annotations

import logging
from uuid import UUID

import msgspec

from marketplace.audit.sealing import FactsUnreadable, kept_of
from marketplace.queries.errors import Denied
from marketplace.queries.services import Services
from policies.decision import AccessQuestion, Decision
from policies.nearest import nearest

logger = logging.getLogger(__name__)


async def denial(
    services: Services,
    decision: Decision,
    question: AccessQuestion | None,
    *,
    decision_id: UUID,
    query_id: UUID | None = None,
) -> Denied:
    """What to raise. Without the question, or where nothing that the caller can do helps, no change is offered."""
    found = await nearest(services.engine, question) if question else None
    return Denied(decision, decision_id, query_id, found.changes if found else ())


async def question_kept(services: Services, decision_id: UUID) -> AccessQuestion | None:
    """What was asked then, with the facts of that instant; None if they were erased or cannot be read."""
    try:
        async with services.database.reading() as session:
            kept = await kept_of(session, services.keys, decision_id)
    except FactsUnreadable as unreadable:
        logger.error("decision %s is told without its facts: %s", decision_id, unreadable.params)
        return None
    return msgspec.json.decode(kept.question, type=AccessQuestion) if kept else None
