"""Runs a plan in the sandbox: render, hand the files to a jail, take back a validated answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sandbox.disclosure.row_filter import condition
from sandbox.isolation.pool import Pool, source_path
from sandbox.job import Limits, Result, TableFiles
from sandbox.plan.plan import Plan
from sandbox.plan.render import render


async def run(plan: Plan, tables: Sequence[TableFiles], limits: Limits, pool: Pool) -> Result:
    """The answer to `plan` over the parts of its tables. SandboxFailed if there is none; RowFilterUnknown, before
    anything runs, for a row filter that cannot be enforced."""
    files: list[Path] = []
    sources: dict[str, list[str]] = {}
    for table in tables:
        sources[table.name] = [source_path(len(files) + i) for i in range(len(table.parts))]
        files.extend(table.parts)
    filters = {table.name: condition(table.row_filter) for table in tables if table.row_filter}
    return await pool.execute(render(plan, sources, filters), files, plan.output, limits)
