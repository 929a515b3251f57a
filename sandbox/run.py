"""Runs a plan in the sandbox: render, hand the files to a jail, take back a validated answer."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.disclosure.row_filter import condition
from sandbox.isolation.answer import Sink
from sandbox.isolation.jail import JailLost
from sandbox.isolation.pool import Pool, source_path
from sandbox.job import Limits, Result, SandboxFailed, TableFiles
from sandbox.plan.plan import Plan
from sandbox.plan.render import render

_log = logging.getLogger(__name__)
_NOT_HONEST = ("sandbox.invalid_result", "sandbox.worker_lost")


async def run(
    plan: Plan,
    tables: Sequence[TableFiles],
    limits: Limits,
    pool: Pool,
    sink: Sink | None = None,
    inside: Callable[[Callable[[], None]], None] | None = None,
) -> Result:
    """The answer to `plan` over the parts of its tables; `sink` and `inside` as for `Pool.execute`.

    Raises SandboxFailed if there is none, and what the sink raises; RowFilterUnknown, before anything runs, for a
    row filter that cannot be enforced.
    """
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
            # The cause is of a hostile worker's making: quoted, and short.
            _log.warning("a worker was ended: %s, %.300r", failed.code, str(failed.__cause__ or ""))
        raise
