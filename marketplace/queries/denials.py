"""Denials told: with the nearest request that is allowed, the same however often the denied one is repeated."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from uuid import UUID

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import text

from marketplace.audit.sealing import FactsUnreadable, Sealed, kept_of
from marketplace.queries.errors import Denied
from marketplace.queries.lines import Line
from marketplace.queries.services import Services
from policies.beside import Step, nearest_all
from policies.decision import AccessQuestion, Decision
from policies.nearest import Change

logger = logging.getLogger(__name__)

ASKED = text("""
select d.slug, l.decision_id, c.allow from query_line l join dataset d on d.id = l.dataset_id
left join decision c on c.id = l.decision_id where l.query_id = :id order by l.agreement_id
""")


class Asked(Struct, frozen=True, kw_only=True):
    """What was asked of one dataset. Without the question its facts were erased, or cannot be read."""

    slug: str
    decision_id: UUID
    allow: bool
    question: AccessQuestion | None


def asked_now(lines: Sequence[Line], sealed: Sequence[Sealed]) -> list[Asked]:
    """What a query asks that was just decided."""
    return [
        Asked(slug=line.facts.slug, decision_id=each.row.id, allow=line.decision.allow, question=line.question)
        for line, each in zip(lines, sealed, strict=True)
    ]


async def asked_before(services: Services, query_id: UUID) -> list[Asked]:
    """What a query asked, with the facts of that instant."""
    rows = await services.database.all(ASKED, {"id": query_id})
    return [
        Asked(
            slug=row.slug,
            decision_id=row.decision_id,
            allow=bool(row.allow),
            question=await question_kept(services, row.decision_id),
        )
        for row in rows
    ]


async def denial(
    services: Services, decision: Decision, asked: Sequence[Asked], *, query_id: UUID | None = None
) -> Denied:
    """What to raise. Without the questions, or where nothing that the caller can do helps, it offers no change."""
    questions = [each.question for each in asked if each.question is not None]
    steps = await nearest_all(services.engine, questions) if len(questions) == len(asked) else ()
    changes = tuple(_named(step, asked) for step in steps)
    denied = next(each.decision_id for each in asked if not each.allow)
    return Denied(decision, denied, query_id, changes)


def _named(step: Step, asked: Sequence[Asked]) -> Change:
    """Columns of several datasets are told with the table that they are of."""
    if len(asked) == 1 or "columns" not in step.change.params:
        return step.change
    slug = asked[step.place].slug
    columns = [f"{slug}.{column}" for column in step.change.params["columns"]]
    return replace(step.change, params={**step.change.params, "columns": columns})


async def question_kept(services: Services, decision_id: UUID) -> AccessQuestion | None:
    """What was asked then, with the facts of that instant; None if they were erased or cannot be read."""
    try:
        async with services.database.reading() as session:
            kept = await kept_of(session, services.keys, decision_id)
    except FactsUnreadable as unreadable:
        logger.error("decision %s is told without its facts: %s", decision_id, unreadable.params)
        return None
    return msgspec.json.decode(kept.question, type=AccessQuestion) if kept else None
