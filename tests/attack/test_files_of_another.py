"""Files that were passed for one query are never another's, whatever became of the child that waited for them."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sandbox.isolation import pool as pool_module
from sandbox.isolation.pool import Pool, source_path
from sandbox.job import Limits, OutputColumn, Result, SandboxFailed
from tests.attack.conftest import require_layers

WHOSE = (OutputColumn(name="whose", type="VARCHAR"),)
ASK = f"SELECT whose FROM read_parquet('{source_path(0)}')"


async def _asked(pool: Pool, file: Path) -> str:
    return _whose(await pool.execute(ASK, [file], WHOSE, Limits()))


def _whose(result: Result) -> str:
    return str(pa.ipc.open_stream(result.stream).read_all().to_pylist()[0]["whose"])


@pytest.mark.parametrize("pause_s", [0.0, 0.3])
async def test_files_sent_to_a_child_that_died_waiting_are_not_the_next_childs(
    tmp_path: Path, pause_s: float
) -> None:
    require_layers()
    for name in ("first", "second"):
        duckdb.sql(f"COPY (SELECT '{name}' AS whose) TO '{tmp_path / name}' (FORMAT parquet)")
    pool = Pool(jails=1, threads=1, memory_bytes=256 << 20, queue=1)
    await pool.start()
    try:
        (jail,) = pool._jails
        jail.kill()
        await asyncio.sleep(pause_s)
        with pytest.raises(SandboxFailed):
            await _asked(pool, tmp_path / "first")
        assert await _asked(pool, tmp_path / "second") == "second"
    finally:
        await pool.close()


async def test_a_part_replaced_while_a_query_runs_is_read_to_its_end_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A withdrawal rewrites a part by putting another file in its place."""
    require_layers()
    for name in ("part", "rewritten"):
        duckdb.sql(f"COPY (SELECT '{name}' AS whose) TO '{tmp_path / name}' (FORMAT parquet)")
    opened, honest = asyncio.Event(), pool_module._opened

    def told(stack: ExitStack, path: Path) -> int:
        opened.set()
        return honest(stack, path)

    monkeypatch.setattr(pool_module, "_opened", told)
    sql = f"""
        SELECT max(whose) AS whose FROM read_parquet('{source_path(0)}')
        WHERE (SELECT count(*) FROM range(30000000) t(i) WHERE hash(i) % 5 = 7) = 0
    """
    pool = Pool(jails=1, threads=1, memory_bytes=256 << 20, queue=1)
    await pool.start()
    try:
        asked = asyncio.create_task(pool.execute(sql, [tmp_path / "part"], WHOSE, Limits()))
        await opened.wait()
        (tmp_path / "rewritten").replace(tmp_path / "part")
        assert _whose(await asked) == "part"
        assert await _asked(pool, tmp_path / "part") == "rewritten"
    finally:
        await pool.close()
