"""The engine's code moved onto large pages: it still runs, and nobody can write it. In a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.isolation.pool import Pool
from tests.attack.conftest import require_layers

MOVED = """
import importlib, sys
import duckdb
from sandbox.worker import large

def maps():
    for line in open("/proc/self/maps"):
        where, what, *_, file = (line.rstrip() + " ").split(" ")[:2] + [line.split()[5:]]
        start, end = (int(each, 16) for each in where.split("-"))
        yield end - start, what, file

moved = large.enlarge(importlib.import_module(sys.argv[1]))
assert not [what for _, what, _ in maps() if "w" in what and "x" in what], "writable and executable"
if sys.argv[1] == "_duckdb":
    assert moved > 0 and moved % large.PAGE_BYTES == 0
    assert (moved, "r-xp", []) in maps(), "it lies in no file any more"
else:
    assert moved == 0
told = duckdb.sql("select sum(i * i), count(distinct i % 7) from range(100000) t(i)").fetchall()
assert told == [(sum(i * i for i in range(100_000)), 7)]
"""


@pytest.mark.parametrize("module", ["_duckdb", "_ctypes"])
def test_code_runs_from_its_new_place_where_it_fills_a_page_and_nobody_can_write_it(module: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MOVED, module], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr


async def test_a_jail_for_queries_maps_its_engine_and_no_page_that_is_written_and_run() -> None:
    require_layers()
    pool = Pool(jails=1, threads=1, memory_bytes=256 << 20, queue=1)
    await pool.start()
    try:
        jails = [seen for seen in _maps_below(os.getpid()) if "/_duckdb" in seen]
    finally:
        await pool.close()
    assert jails
    for seen in jails:
        assert not [line for line in seen.splitlines() if {"w", "x"} <= set(line.split()[1])]
        assert "numpy" not in seen, "each start and each fork would pay for what no query needs"


def _maps_below(pid: int) -> Iterator[str]:
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            try:
                yield Path(f"/proc/{child}/maps").read_text()
            except PermissionError:
                if os.environ.get("CI") == "true":
                    raise
                pytest.skip("only root may read what a jail maps")
            yield from _maps_below(int(child))
