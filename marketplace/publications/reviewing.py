"""What people do about a publication: answer for a finding, try again, review, give up. Each step is logged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, cast
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.pii.gate import Override
from catalog.pipeline.record import StageRecord
from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import OrganisationSuspended
from marketplace.agreements.terms import check_reason
from marketplace.audit.actions import record
from marketplace.db.base import new_id, utcnow
from marketplace.errors import Forbidden, Invalid, NotFound
from marketplace.publications.errors import NothingToOverride, NotOverridable, OwnWork, PublicationWrongState
from marketplace.publications.ground import subject_of_row
from marketplace.publications.machine import TRANSITIONS, State, Verb
from marketplace.publications.models import PublicationRow, PublicationStage, PublicationStep
from marketplace.publications.schemas import AnsweredFinding, StepBody, StepVerb
from marketplace.publications.stages import forget_stages, locked, step
from marketplace.publications.tasks import CHECKLISTS, needs_operator

REASON_LEAST, REASON_MOST = 10, 500
"""Characters of an answer, as `catalog.pii.gate.Override` has them."""
OVERRIDABLE: Final = "pii."
"""Codes that begin so are a detector's guess; anything else is mended, not answered for."""


async def take_step(session: AsyncSession, *, publication_id: UUID, body: StepBody, by: Caller) -> State:
    """One step of a person; where it led.

    Raises NotFound, Forbidden, OrganisationSuspended, OwnWork, PublicationWrongState, Invalid, NothingToOverride,
    NotOverridable."""
    if await session.scalar(select(PublicationRow.id).where(PublicationRow.id == publication_id)) is None:
        raise NotFound
    row = await locked(session, publication_id)
    _require_part(row, body.verb, by)
    at, state = utcnow(), row.state
    verb: Verb = "refer" if body.verb == "approve" and _refers(row, at) else body.verb
    if (state, verb) not in TRANSITIONS:
        raise PublicationWrongState(state=state, verb=body.verb)
    if body.verb == "approve" and await is_own_work(session, row, by):
        raise OwnWork
    checklist, reason = (
        _ticked(state, body),
        check_reason(body.reason, required=body.verb in ("override", "return")),
    )
    if body.verb == "override":
        row.overrides = [*row.overrides, *await _answered(session, row, body.findings, reason, by)]
    step(row, verb)
    row.approved = subject_of_row(row) if row.state == "listing" else None
    if body.verb in ("override", "retry"):
        row.problem = None
        await forget_stages(session, row.id)
    taken = PublicationStep(
        id=new_id(), publication_id=row.id, verb=body.verb, state=row.state, person_id=by.person_id,
        checklist=list(checklist), reason=reason or None, subject=row.approved, at=at,
    )  # fmt: skip
    session.add(taken)
    await session.flush()
    await _record(session, row, taken, body.findings, by)
    return cast(State, row.state)


def may_take(row: PublicationRow, verb: StepVerb, by: Caller) -> bool:
    """Whether the step is one that somebody in the caller's office takes, in the state that it is in."""
    mine = by.organisation_id == row.organisation_id and by.organisation_kind == "owner"
    if row.state == "reviewing" and verb in ("approve", "return"):
        return by.organisation_kind == "operator" and "operator" in by.roles
    needed = "approver" if verb in ("approve", "return") else "steward"
    return mine and needed in by.roles


def is_seen_by(row: PublicationRow, by: Caller) -> bool:
    """The owner's people see theirs; the operator's see what is referred to them, and only then."""
    if by.organisation_kind == "operator":
        return row.state == "reviewing"
    return by.organisation_kind == "owner" and by.organisation_id == row.organisation_id


def _require_part(row: PublicationRow, verb: StepVerb, by: Caller) -> None:
    if not is_seen_by(row, by):
        raise NotFound
    if not may_take(row, verb, by):
        raise Forbidden(needs="operator:operator" if row.state == "reviewing" else "owner:approver")
    if by.organisation_suspended:
        raise OrganisationSuspended
    by.require("agree" if verb in ("approve", "return") else "publish")


async def is_own_work(session: AsyncSession, row: PublicationRow, by: Caller) -> bool:
    """Whether the caller sent it, submitted it or answered for something in it: then somebody else approves."""
    hers = select(PublicationStep.id).where(
        PublicationStep.publication_id == row.id,
        PublicationStep.person_id == by.person_id,
        PublicationStep.verb.in_(("submit", "override", "retry")),
    )
    return row.sent_by == by.person_id or await session.scalar(hers.limit(1)) is not None


def _refers(row: PublicationRow, at: datetime) -> bool:
    return row.state == "approving" and needs_operator(row.state_class, at)


def _ticked(state: str, body: StepBody) -> tuple[str, ...]:
    """Raises Invalid unless all that the task asks for was ticked."""
    asked = CHECKLISTS.get(state, ()) if body.verb in ("submit", "approve") else ()
    missing = [item for item in asked if item not in body.checklist]
    if missing:
        params = {"items": ", ".join(missing)}
        raise Invalid(errors=[{"path": "checklist", "code": "publication.checklist", "params": params}])
    return asked


async def _answered(
    session: AsyncSession, row: PublicationRow, findings: Sequence[AnsweredFinding], reason: str, by: Caller
) -> list[dict[str, Any]]:
    """Raises NothingToOverride, NotOverridable, Invalid for a reason that is hardly one."""
    stages = select(PublicationStage.body).where(PublicationStage.publication_id == row.id)
    records = [msgspec.convert(body, StageRecord) for body in await session.scalars(stages)]
    stopping = {
        (f.code, f.key): f for r in records if r.state == "stopped" for f in r.findings if f.severity == "stop"
    }
    if not findings:
        raise NothingToOverride(finding="", key="")
    answers = []
    for each in findings:
        found = stopping.get((each.code, each.key))
        if found is None:
            raise NothingToOverride(finding=each.code, key=each.key)
        if not each.code.startswith(OVERRIDABLE):
            raise NotOverridable(finding=each.code)
        said = {"columns": found.params["columns"], "finding": found.params["finding"], "reason": reason}
        _require_override(said)
        answers.append({"code": each.code, "key": each.key, "person_id": str(by.person_id), **said})
    return answers


def _require_override(said: dict[str, Any]) -> None:
    try:
        msgspec.convert(said, Override)
    except msgspec.ValidationError as wrong:
        params = {"least": REASON_LEAST, "most": REASON_MOST}
        raise Invalid(errors=[{"path": "reason", "code": "publication.reason", "params": params}]) from wrong


async def _record(
    session: AsyncSession,
    row: PublicationRow,
    taken: PublicationStep,
    findings: Sequence[AnsweredFinding],
    by: Caller,
) -> None:
    """Its owner reads it; the operator's own steps are read by both."""
    body = {
        "publication": str(row.id),
        "state": row.state,
        "reason": taken.reason,
        "checklist": taken.checklist,
        "subject": taken.subject,
        **({"findings": [{"code": f.code, "key": f.key} for f in findings]} if findings else {}),
    }
    await record(
        session,
        f"publication:{taken.verb}",
        by=by,
        parties={row.organisation_id, by.organisation_id},
        body=body,
    )
