"""Steps 7 and 8: run, then settle what ran."""

from __future__ import annotations

import asyncio
import logging
import math
import random
import time
from collections.abc import Awaitable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from catalog.errors import VersionDamaged
from catalog.version import Revision
from marketplace.faults import point
from marketplace.own.adding import vault_of
from marketplace.own.vault import TableGone
from marketplace.queries.endings import CANCELLED, NOTHING, Outcome
from marketplace.queries.errors import ResultUnwritable
from marketplace.queries.filters import row_filter
from marketplace.queries.held import Held
from marketplace.queries.keeping import Draft
from marketplace.queries.label import Label, Source, label_of
from marketplace.queries.lines import Line
from marketplace.queries.prepare import Prepared
from marketplace.queries.privacy import Spend, stored_as
from marketplace.queries.services import Services
from marketplace.queries.settle import settle, void
from marketplace.queries.turns import Place, Stopped
from sandbox.disclosure.row_filter import RowFilterUnknown
from sandbox.job import Limits, Result, SandboxFailed, TableFiles
from sandbox.run import Spending
from sandbox.run import run as run_in_sandbox

logger = logging.getLogger(__name__)
MANY_RECORDS = 500_000
"""From here on a second thread saves more than its start costs."""
_CHANCE = random.SystemRandom()
FIGURES_A_RECORD = 16
"""In rows mode, beside the columns read: figures about them are honest, hundreds hold other records, packed."""


class Run(Struct, frozen=True, kw_only=True):
    """A query on its way through a jail: its place in the queue, and where its answer is written."""

    place: Place
    draft: Draft


async def run(services: Services, prepared: Prepared, to: Run) -> Outcome:
    """What comes out of the jail once its turn has come; what ends inside costs its quote.

    Raises Stopped or SandboxFailed if nothing went in, ResultUnwritable.
    """
    to.draft.label = _label(prepared, to.place.query_id)
    spend = prepared.spend
    if spend is None:
        return await _entered(services, prepared, to, None)
    try:
        return await on_a_grid(services.config.dp_release_grid_ms, _private(services, prepared, to, spend))
    finally:
        # Only now: the turn of one's own next query would tell what the grid keeps back.
        to.place.leave()


def _label(prepared: Prepared, query_id: UUID) -> Label:
    sources = [
        Source(
            dataset_id=line.facts.dataset_id, dataset=line.facts.slug, version_id=line.version.id,
            revision=line.facts.revision,
        )
        for line in prepared.lines if line.version
    ]  # fmt: skip
    return label_of(query_id, prepared.lines[0].question.request.purpose, sources)


async def _private(services: Services, prepared: Prepared, to: Run, spend: Spend) -> Outcome:
    """dp mode. Raises SandboxFailed (unavailable) if the decision does not allow what the query would tell."""
    obligations = prepared.decision.obligations
    if obligations is None or obligations.epsilon is None or spend.epsilon > obligations.epsilon:
        raise SandboxFailed("sandbox.unavailable", entered=False)
    if spend.stored is None:
        return await _entered(services, prepared, to, spend.spending)
    stored = spend.stored
    result = Result(
        stream=stored.stream, rows=stored.rows, records=stored.rows, columns=prepared.plan.output, usage=NOTHING
    )
    return await _sealed(to, result)


async def on_a_grid(grid_ms: int, running: Awaitable[Outcome]) -> Outcome:
    """The outcome, however it ends, at a multiple of the grid from now; its usage tells no more than that.

    How long a jail worked, and how much memory it took, would tell of the persons that it worked over. Chance
    moves it by up to one step: on a bare grid the time of one record could be made to decide between two.
    """
    began = time.monotonic()
    try:
        outcome = await running
    finally:
        await asyncio.sleep(to_the_grid(time.monotonic() - began, grid_ms / 1000, _CHANCE.random()))
    wall_us = round((time.monotonic() - began) * 1_000_000 / (grid_ms * 1000)) * grid_ms * 1000
    bytes_out = outcome.usage.result_bytes if outcome.usage else 0
    return replace(outcome, usage=replace(NOTHING, wall_us=wall_us, result_bytes=bytes_out))


def to_the_grid(elapsed_s: float, grid_s: float, later: float) -> float:
    """Seconds from now until the first multiple of the grid after `later` more of its steps.

    With `later` even between 0 and 1, what takes t longer comes elsewhere with t / grid_s.
    """
    return (math.floor(elapsed_s / grid_s + later) + 1) * grid_s - elapsed_s


async def _entered(services: Services, prepared: Prepared, to: Run, spending: Spending | None) -> Outcome:
    try:
        await to.place.come()
        files = [await _files(services, line) for line in prepared.lines]
        to.place.require_wanted()  # before own tables are decrypted for nothing
        limits = limits_of(services, prepared)
        # In dp mode the answer is not what the jail says: it is written once it has its noise.
        sink = to.draft if spending is None else None
        with ExitStack() as stack:
            if prepared.own:
                files += await asyncio.to_thread(_own_files, services, prepared, stack)
            result = await run_in_sandbox(
                prepared.plan, files, limits, services.pool, sink, to.place.inside, spending
            )
    except RowFilterUnknown as unknown:  # nothing may run that an obligation nobody can enforce holds for
        raise SandboxFailed("sandbox.records_unknown", entered=False) from unknown
    except SandboxFailed as failed:
        if not failed.entered:
            raise
        return Outcome(failure=failed.code, params=dict(failed.params), usage=failed.usage)
    finally:
        if spending is None:
            to.place.leave()
    if to.place.stopped:
        # The mark that stands in the row decides how it ends; there is no answer to keep.
        return Outcome(failure=CANCELLED, usage=result.usage)
    outcome = await _sealed(to, result)
    if prepared.spend is None:
        return outcome
    key, facts = services.keys, prepared.lines[0].facts
    kept = stored_as(
        prepared.spend, key, agreement_id=facts.agreement_id, query_id=to.place.query_id, answer=result
    )
    return replace(outcome, kept=kept)


async def _sealed(to: Run, result: Result) -> Outcome:
    """The answer as it will rest; one that has not gone to the draft yet goes there now."""
    if result.stream:
        to.draft.write(result.stream)
    sealed = await asyncio.to_thread(to.draft.finish) if to.draft.large else to.draft.finish()
    return Outcome(result=result, usage=result.usage, sealed=sealed, sha256=to.draft.sha256)


async def _files(services: Services, line: Line) -> TableFiles:
    version, obligations = line.version, line.decision.obligations
    assert version is not None  # an allowed query has listed versions,
    assert obligations is not None  # and an allowed decision carries obligations
    try:
        revision = await revision_for(services, line)
    except (VersionDamaged, OSError) as lost:
        # A part that is gone or changed, or no room for one without a cohort: nobody's query pays for that.
        logger.error("the files of %s cannot be used: %s", line.facts.slug, lost)
        raise SandboxFailed("sandbox.unavailable", entered=False) from lost
    return TableFiles(
        name=line.facts.slug, parts=tuple(Path(p) for p in revision.parts),
        row_filter=row_filter(version, obligations.row_filter),
    )  # fmt: skip


def _own_files(services: Services, prepared: Prepared, stack: ExitStack) -> list[TableFiles]:
    """The startup's own tables, in the clear for as long as the query runs. Raises TableGone."""
    vault = vault_of(services.config, services.keys)
    return [
        TableFiles(name=own.name, parts=(stack.enter_context(vault.opened(own.id, own.wrapped_key)),))
        for own in prepared.own
    ]


async def finish(
    services: Services, held: Held, prepared: Prepared, running: Awaitable[Outcome], draft: Draft
) -> Any | None:
    """Wait for a held query's outcome and settle it: the finished row, None if somebody else ended it."""
    point("after-hold")
    try:
        outcome = await running
        if outcome.sealed and draft.large:
            point("before-keep")
            await asyncio.to_thread(draft.keep)
    except SandboxFailed as failed:
        return await void(services.database, services.keys, held, code=failed.code, params=failed.params)
    except TableGone:
        return await void(services.database, services.keys, held, code="query.table_gone")
    except Stopped:
        return await void(services.database, services.keys, held, code=CANCELLED)
    except ResultUnwritable as full:
        draft.drop()
        return await void(services.database, services.keys, held, code=full.code, entered=True)
    except BaseException:
        draft.drop()
        raise
    point("before-settle")
    # If it raises, nobody knows yet whether it was committed: the file stays, and the sweep finds what it is.
    row = await settle(services, held, prepared, outcome)
    if row is None or row.state != "ready":
        draft.drop()
    point("after-settle")
    return row


async def revision_for(services: Services, line: Line) -> Revision:
    """The files for this purpose without the cohorts that left; writing new ones happens off the event loop."""
    version, obligations = line.version, line.decision.obligations
    assert version is not None  # an allowed query has listed versions,
    assert obligations is not None  # and an allowed decision carries obligations
    excluded, number, purpose = line.facts.excluded, line.facts.revision, obligations.consented_to
    # Where consent is not the basis, all purposes read the same parts, and each counts its own exclusions.
    if purpose is not None or not excluded:
        ready = services.store.at_hand(version.id, purpose=purpose, number=number)
        if ready is not None:
            return ready
    return await asyncio.to_thread(
        services.store.revision, version.id, purpose=purpose, excluded=excluded, number=number
    )


def limits_of(services: Services, prepared: Prepared) -> Limits:
    """What an allowed query may take; above it, it fails."""
    config, obligations = services.config, prepared.decision.obligations
    assert obligations is not None  # an allowed decision carries obligations
    left = (line.records_left for line in prepared.lines if line.records_left is not None)
    return Limits(
        deadline_ms=prepared.deadline_ms,
        memory_bytes=config.sandbox_memory_bytes,
        max_rows=max(min(obligations.max_rows, config.result_max_rows, *left), 0),
        max_bytes=min(obligations.max_bytes, config.result_max_bytes),
        values_a_record=_values_a_record(prepared),
        threads=config.sandbox_threads if _records(prepared) >= MANY_RECORDS else 1,
    )


def _values_a_record(prepared: Prepared) -> int | None:
    """Of a row of the answer. None in modes whose answers hold no records."""
    if all(line.rows_cap is None for line in prepared.lines):
        return None
    return FIGURES_A_RECORD + sum(map(len, prepared.plan.reads.values()))


def _records(prepared: Prepared) -> int:
    """Records in the files, by what made them: a small file may hold many, so its bytes would tell little."""
    listed = sum(line.version.rows for line in prepared.lines if line.version)
    return listed + sum(own.rows for own in prepared.own)
