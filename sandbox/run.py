"""Runs a plan in the sandbox: render, hand the files to a jail, take back a validated answer."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from sandbox.disclosure.dp import Release
from sandbox.disclosure.noise import Budget
from sandbox.disclosure.release import released
from sandbox.disclosure.room import room, within_room
from sandbox.disclosure.row_filter import condition
from sandbox.isolation.answer import Sink
from sandbox.isolation.jail import JailLost
from sandbox.isolation.pool import Pool, source_path
from sandbox.job import Limits, Result, SandboxFailed, TableFiles
from sandbox.plan.plan import Plan
from sandbox.plan.render import render

_log = logging.getLogger(__name__)
_NOT_HONEST = ("sandbox.invalid_result", "sandbox.worker_lost")


Inside = Callable[[Callable[[], None]], None]


class Spending(Struct, frozen=True, kw_only=True):
    """dp mode: what the query may tell of one person, and between how many persons at most."""

    budget: Budget
    persons_at_most: int


async def run(
    plan: Plan,
    tables: Sequence[TableFiles],
    limits: Limits,
    pool: Pool,
    sink: Sink | None = None,
    inside: Inside | None = None,
    spending: Spending | None = None,
) -> Result:
    """The answer to `plan` over the parts of its tables; `sink` and `inside` as for `Pool.execute`.

    Raises SandboxFailed if there is none, and what the sink raises; RowFilterUnknown, before anything runs, for a
    row filter that cannot be enforced. `spending`: of a plan over a dp table, and only there; it has no sink.
    """
    if plan.release is not None:
        assert spending is not None
        assert sink is None
        return await _with_noise(plan, plan.release, tables, limits, pool, inside, spending)
    return await _exact(plan, tables, limits, pool, sink, inside)


async def _with_noise(
    plan: Plan, release: Release, tables: Sequence[TableFiles], limits: Limits, pool: Pool,
    inside: Inside | None, spending: Spending,
) -> Result:  # fmt: skip
    """Only what has its noise meets the limits of an answer; what a jail may say is bounded apart."""
    most = spending.persons_at_most
    inner = dataclasses.replace(plan, tree=within_room(plan.tree, release, most), output=release.measured)
    exact = await _exact(inner, tables, room(release, most, limits), pool, None, inside)
    try:
        stream, rows = await asyncio.to_thread(released, release, plan.output, exact.stream, spending.budget, most)
    except Exception as broken:
        # The jail has answered, so nothing that its answer does to us may give the query back unpaid.
        _warn("sandbox.invalid_result", broken)
        raise SandboxFailed("sandbox.invalid_result", entered=True, usage=exact.usage) from broken
    usage = replace(exact.usage, result_bytes=len(stream))
    if rows > limits.max_rows:
        raise SandboxFailed(
            "sandbox.too_many_rows", entered=True, params={"max_rows": limits.max_rows}, usage=usage
        )
    if len(stream) > limits.max_bytes:
        raise SandboxFailed(
            "sandbox.too_many_bytes", entered=True, params={"max_bytes": limits.max_bytes}, usage=usage
        )
    return Result(stream=stream, rows=rows, records=rows, columns=plan.output, usage=usage)


async def _exact(
    plan: Plan, tables: Sequence[TableFiles], limits: Limits, pool: Pool, sink: Sink | None, inside: Inside | None
) -> Result:
    files: list[Path] = []
    sources: dict[str, list[str]] = {}
    for table in tables:
        sources[table.name] = [source_path(len(files) + i) for i in range(len(table.parts))]
        files.extend(table.parts)
    filters = {table.name: condition(table.row_filter) for table in tables if table.row_filter}
    try:
        return await pool.execute(render(plan, sources, filters), files, plan.output, limits, sink, inside)
    except JailLost as lost:
        raise SandboxFailed("sandbox.unavailable", entered=False) from lost
    except SandboxFailed as failed:
        if failed.code in _NOT_HONEST:
            _warn(failed.code, failed.__cause__)
        raise


def _warn(code: str, cause: BaseException | None) -> None:
    # The cause is of a hostile worker's making: quoted, and short.
    _log.warning("a worker was ended: %s, %.300r", code, str(cause or ""))
