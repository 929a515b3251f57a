"""Making what an owner sent, stage by stage, and listing it once people have approved: the service's own part.

Whoever works on a publication holds the lock of its dataset's name, as everybody who publishes does; a process
that dies gives it back, and whoever takes it next goes on after the last finished stage.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from uuid import UUID

import msgspec
from sqlalchemy.exc import DBAPIError

from catalog.errors import PublicationRefused
from catalog.pipeline.record import Stage, StageRecord
from catalog.pipeline.run import RUN_STAGES, Pipeline, broken
from catalog.publish import publication_of
from marketplace.accounts.senders import Sender
from marketplace.audit.facttree import grow
from marketplace.audit.sealing import seal
from marketplace.db.base import new_id, utcnow
from marketplace.errors import Problem, Unavailable
from marketplace.faults import point
from marketplace.listings.actions import release
from marketplace.listings.errors import ConsentsMoved, Judged, ListingDenied, Overtaken, VersionRefused
from marketplace.listings.leftovers import removed_unless_released
from marketplace.listings.permission import require_listing
from marketplace.listings.press import Press
from marketplace.listings.recording import record_refusal
from marketplace.publications.combining import with_combinations
from marketplace.publications.errors import PublicationWrongState
from marketplace.publications.ground import Ground, pipeline_on, read_ground, subject_of_row
from marketplace.publications.machine import AT_WORK
from marketplace.publications.stages import begin_stage, end_stage, locked, step, uncount_attempt
from sandbox.job import SandboxFailed

logger = logging.getLogger(__name__)


async def advance(press: Press, publication_id: UUID, stop: asyncio.Event) -> None:
    """Bring it as far as the exchange can by itself: to the people who review it, or to the list.

    `stop`: of the service; then no further stage is begun, and a later process goes on.

    The caller holds the dataset's lock. Nothing is raised for what is wrong with it: that is kept in its row.
    Raises Unavailable: what the exchange lacks says nothing of what the owner sent.
    """
    try:
        ground = await read_ground(press, publication_id)
        if ground.state not in AT_WORK:
            return
        await require_listing(press.engine, caller=ground.caller, manifest=ground.manifest)
        pipeline = await asyncio.to_thread(pipeline_on, press, ground)
        judged = await _made(press, ground, pipeline, stop)
        if judged is not None:
            await (_pass(press, ground, pipeline, judged) if ground.state == "making" else
                   _list(press, ground, pipeline, judged))  # fmt: skip
    except (ConsentsMoved, Overtaken, PublicationWrongState):
        return  # made anew in the next round, on what is there then, unless it was cancelled
    except Unavailable:
        raise
    except Problem as problem:
        if _engine_is_away(problem):
            logger.warning("publication %s waits for the policy engine", publication_id)
            return
        await _stop(press, publication_id, problem)


async def _made(press: Press, ground: Ground, pipeline: Pipeline, stop: asyncio.Event) -> Judged | None:
    """The policy's word on what was made; None if a stage, a person or `stop` ended it. Raises ListingDenied."""
    for stage in RUN_STAGES:
        if stop.is_set():
            return None
        async with press.database.session() as session:
            if not await begin_stage(session, ground.publication_id, stage):
                return None
        record = await _run(press, ground, pipeline, stage, stop)
        if stage == "measure" and record.state == "passed":
            record = await with_combinations(press, ground, pipeline, record)
        point(f"publication-{stage}")
        async with press.database.session() as session:
            if not await end_stage(session, ground.publication_id, record):
                return None
    return await require_listing(
        press.engine, caller=ground.caller, manifest=ground.manifest, version=pipeline.version,
        previous=ground.listed, quality=pipeline.line.quality,
    )  # fmt: skip


async def _run(press: Press, ground: Ground, pipeline: Pipeline, stage: Stage, stop: asyncio.Event) -> StageRecord:
    """Our own stop is noted at once: whoever waits for us may kill in the end, and that is no death in it."""
    running = asyncio.create_task(asyncio.to_thread(pipeline.run, stage))
    stopped = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((running, stopped), return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            with contextlib.suppress(Unavailable, DBAPIError):
                async with press.database.session() as session:
                    await uncount_attempt(session, ground.publication_id, stage)
        return await running
    except (PublicationRefused, SandboxFailed, OSError) as error:
        return broken(stage, error)
    finally:
        stopped.cancel()


async def _pass(press: Press, ground: Ground, pipeline: Pipeline, judged: Judged) -> None:
    """People look at it now, and until then no person's record lies open."""
    await asyncio.to_thread(pipeline.shed)
    owed = judged.decision.obligations
    async with press.database.session() as session:
        row = await locked(session, ground.publication_id)
        if row.state != "making":
            return
        step(row, "pass")
        row.problem = None
        row.version_id = pipeline.version.id
        row.state_class = owed.state_class if owed else None
        row.personal_class = owed.personal_class if owed else None


async def _list(press: Press, ground: Ground, pipeline: Pipeline, judged: Judged) -> None:
    """Put it on the list, if it still is what was approved.

    Raises ConsentsMoved, Overtaken, and PublicationWrongState if somebody cancelled meanwhile."""
    if not await _still_approved(press, ground, judged):
        return
    sealed = seal(press.keys, decision_id=new_id(), tree=grow(judged.question), decision=judged.decision)
    async with removed_unless_released(press, pipeline.version.id):
        try:
            await asyncio.to_thread(pipeline.place)
        except PublicationRefused as full:
            raise VersionRefused(full.code, **full.params) from full
        point("publication-placed")
        async with press.database.session() as session:
            row = await locked(session, ground.publication_id)
            step(row, "list")
            released = await release(
                session, publication=publication_of(pipeline), sealed=sealed, place=ground.place,
                register=ground.register, store=press.store, by=ground.by, at=utcnow(),
            )  # fmt: skip
            row.version_id = released.id


async def _still_approved(press: Press, ground: Ground, judged: Judged) -> bool:
    """Else the class is another one than people approved, and they look again."""
    owed = judged.decision.obligations
    async with press.database.session() as session:
        row = await locked(session, ground.publication_id)
        if row.state != "listing":
            return False
        row.state_class = owed.state_class if owed else None
        row.personal_class = owed.personal_class if owed else None
        if subject_of_row(row) == row.approved:
            return True
        row.approved = None
        step(row, "renew")
        return False


def _engine_is_away(problem: Problem) -> bool:
    """Denied by the engine's own state and not by a rule: nobody judged, and it is asked again."""
    return isinstance(problem, ListingDenied) and all(
        each.code.startswith("policy.") and not each.code.startswith("policy.question_")
        for each in problem.reasons
    )


async def _stop(press: Press, publication_id: UUID, problem: Problem) -> None:
    """It is refused as a whole: by the policy, by what is listed already, by the manifest."""
    async with press.database.session() as session:
        row = await locked(session, publication_id)
        if row.state not in AT_WORK:
            return
        row.problem = _told(problem)
        step(row, "stop" if problem.status < 500 else "fail")
        by = Sender(person_id=row.sent_by, organisation_id=row.organisation_id, via=row.via)
        await record_refusal(session, press.keys, slug=row.slug, problem=problem, by=by)


def _told(problem: Problem) -> dict[str, object]:
    return {
        "code": problem.code,
        "params": msgspec.to_builtins(problem.params, str_keys=True),
        "reasons": msgspec.to_builtins(problem.reasons),
    }
