"""Publications as their owner sees them, and as the operator's reviewer does; versions taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import msgspec
from sqlalchemy import Select, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.pipeline.record import StageRecord
from catalog.pipeline.run import RUN_STAGES
from marketplace.accounts.callers import Caller
from marketplace.accounts.models import Organisation, Person
from marketplace.db.base import utcnow
from marketplace.errors import Forbidden, NotFound
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.publications.machine import TRANSITIONS
from marketplace.publications.models import PublicationRow, PublicationStage, PublicationStep, VersionWithdrawal
from marketplace.publications.reviewing import is_own_work, is_seen_by, may_take
from marketplace.publications.schemas import (
    ListedVersion,
    PublicationLine,
    PublicationList,
    PublicationView,
    StageView,
    StepVerb,
    StepView,
    TakenBack,
    TaskView,
    WithdrawalList,
    WithdrawalView,
)
from marketplace.publications.tasks import CHECKLISTS, WHO, rules_at

MOST = 200
_LINES = (
    select(PublicationRow, Organisation.name, Person.name)
    .join(Organisation, Organisation.id == PublicationRow.organisation_id)
    .join(Person, Person.id == PublicationRow.sent_by)
)
_WITHDRAWN = text("""
select w.version_id, d.slug as dataset, v.number, w.reason, w.note, w.withdrawn_at,
       (select count(*) from agreement a where a.dataset_id = w.dataset_id and a.created_at <= w.withdrawn_at
           and (a.ended_at is null or a.ended_at > w.withdrawn_at)
           and a.expires_at > w.withdrawn_at) as agreements,
       exists (select from credit c where c.version_id = w.version_id) as credited
from version_withdrawal w join dataset d on d.id = w.dataset_id join dataset_version v on v.id = w.version_id
where cast(:owner as uuid) is null or d.owner_id = :owner order by w.withdrawn_at desc limit 200
""")


async def list_publications(session: AsyncSession, by: Caller) -> PublicationList:
    """The owner's, newest first; for the operator those that are referred to it, the first due first."""
    rows: Select[PublicationRow, str, str]
    if by.organisation_kind == "operator":
        rows = _LINES.where(PublicationRow.state == "reviewing").order_by(PublicationRow.due_at, PublicationRow.id)
    elif by.organisation_kind == "owner":
        mine = PublicationRow.organisation_id == by.organisation_id
        rows = _LINES.where(mine).order_by(PublicationRow.id.desc())
    else:
        raise Forbidden(needs="owner")
    found = (await session.execute(rows.limit(MOST))).all()
    stages = select(PublicationStage).where(PublicationStage.publication_id.in_([row.id for row, *_ in found]))
    passed: dict[UUID, int] = {}
    for each in await session.scalars(stages):
        passed[each.publication_id] = passed.get(each.publication_id, 0) + (each.body["state"] == "passed")
    return PublicationList(
        items=tuple(
            PublicationLine(**_line(row, owner, person, passed.get(row.id, 0))) for row, owner, person in found
        )
    )


async def read_publication(session: AsyncSession, publication_id: UUID, by: Caller) -> PublicationView:
    """Raises NotFound for another owner's, and for the operator while it is not referred."""
    found = (await session.execute(_LINES.where(PublicationRow.id == publication_id))).one_or_none()
    if found is None or not is_seen_by(found[0], by):
        raise NotFound
    row, owner, person = found
    stages = await _stages(session, row)
    passed = sum(each.record.state == "passed" for each in stages)
    own = await is_own_work(session, row, by)
    return PublicationView(
        **_line(row, owner, person, passed),
        manifest=row.manifest, source_name=row.source_name, source_bytes=row.source_bytes,
        source_sha256=row.source_sha256, version_id=row.version_id, state_class=row.state_class,
        personal_class=row.personal_class, problem=row.problem, overrides=tuple(row.overrides),
        each_stage=stages, steps=await _steps(session, publication_id), task=_task(row, utcnow()),
        may=tuple(
            verb
            for verb in get_args(StepVerb)
            if (row.state, verb) in TRANSITIONS and may_take(row, verb, by) and not (own and verb == "approve")
        ),
    )  # fmt: skip


async def list_withdrawals(session: AsyncSession, by: Caller) -> WithdrawalList:
    """Versions taken back: the owner's own; all of them for the operator, who proposes what is given back."""
    if by.organisation_kind not in ("owner", "operator"):
        raise Forbidden(needs="owner")
    owner = by.organisation_id if by.organisation_kind == "owner" else None
    rows = (await session.execute(_WITHDRAWN, {"owner": owner})).mappings()
    return WithdrawalList(items=tuple(WithdrawalView(**row) for row in rows))


async def taken_back(session: AsyncSession, dataset_id: UUID) -> TakenBack | None:
    """Why the dataset shows nothing, if its owner took the version back and the next one is not there yet."""
    rows = (
        select(DatasetVersion.number, VersionWithdrawal)
        .join(DatasetVersion, DatasetVersion.id == VersionWithdrawal.version_id)
        .join(Dataset, Dataset.id == VersionWithdrawal.dataset_id)
        .where(Dataset.id == dataset_id, Dataset.current_version_id.is_(None))
        .order_by(VersionWithdrawal.withdrawn_at.desc())
    )
    found = (await session.execute(rows.limit(1))).one_or_none()
    if found is None:
        return None
    number, taken = found
    return TakenBack(
        number=number, reason=taken.reason, note=taken.note, bars_answers=taken.bars_answers, at=taken.withdrawn_at
    )


def _line(row: PublicationRow, owner: str, person: str, passed: int) -> dict[str, Any]:
    return {
        "id": row.id, "slug": row.slug, "state": row.state, "owner": owner, "sent_by": person,
        "sent_at": row.sent_at, "changed_at": row.changed_at, "due_at": row.due_at,
        "overdue": row.due_at is not None and row.due_at < utcnow(),
        "stages_passed": passed, "stages": len(RUN_STAGES),
    }  # fmt: skip


async def _stages(session: AsyncSession, row: PublicationRow) -> tuple[StageView, ...]:
    rows = select(PublicationStage).where(PublicationStage.publication_id == row.id)
    kept = {each.stage: each for each in await session.scalars(rows)}
    return tuple(
        StageView(
            record=msgspec.convert(kept[stage].body, StageRecord), attempts=kept[stage].attempts,
            began_at=kept[stage].began_at, ended_at=kept[stage].ended_at,
        )
        if stage in kept
        else StageView(record=StageRecord(stage=stage, state="waiting"))
        for stage in RUN_STAGES
    )  # fmt: skip


async def _steps(session: AsyncSession, publication_id: UUID) -> tuple[StepView, ...]:
    rows = (
        select(PublicationStep, Person.name)
        .join(Person, Person.id == PublicationStep.person_id)
        .where(PublicationStep.publication_id == publication_id)
        .order_by(PublicationStep.id)
    )
    return tuple(
        StepView(
            verb=each.verb, state=each.state, person=name, checklist=tuple(each.checklist), reason=each.reason,
            at=each.at,
        )
        for each, name in (await session.execute(rows)).all()
    )  # fmt: skip


def _task(row: PublicationRow, at: datetime) -> TaskView | None:
    if row.state not in CHECKLISTS or row.due_at is None:
        return None
    return TaskView(
        who=WHO[row.state], what=row.state, when=row.due_at, overdue=row.due_at < at, responsibility=row.state,
        product=row.slug, authority=rules_at(row.sent_at).law, checklist=CHECKLISTS[row.state],
    )  # fmt: skip


async def listed_versions(session: AsyncSession, owner_id: UUID) -> tuple[ListedVersion, ...]:
    """What the owner has on the list by itself now, by slug."""
    rows = (
        select(Dataset.slug, DatasetVersion.id, DatasetVersion.number)
        .join(DatasetVersion, DatasetVersion.id == Dataset.current_version_id)
        .where(Dataset.owner_id == owner_id, Dataset.linkage_id.is_(None))
        .order_by(Dataset.slug)
    )
    return tuple(ListedVersion(slug=s, version_id=v, number=n) for s, v, n in await session.execute(rows))
