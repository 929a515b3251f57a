"""SQL that fills memory, processor or answer, in the real engine; who asks beside it gets what is right."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pyarrow as pa
import pytest

from sandbox.isolation.pool import Pool
from sandbox.job import Limits, OutputColumn, SandboxFailed
from tests.attack.conftest import MEMORY_BYTES, require_layers

BOMBS = {
    "long lists": "SELECT CAST(len(list(repeat('x', 100000) || i)) AS BIGINT) AS a FROM range(20000) t(i)",
    "a product": "SELECT CAST(count(*) AS BIGINT) AS a FROM range(100000) x(i), range(1000000) y(j) WHERE i*j = 3",
    "a long text": "SELECT CAST(len(repeat(repeat('x', 100000000), 50)) AS BIGINT) AS a",
    "a sort that would spill": """SELECT CAST(max(r) AS BIGINT) AS a FROM (
        SELECT row_number() OVER (ORDER BY repeat('y', 300) || (i * 7919 % 5000000)) AS r
        FROM range(5000000) t(i))""",
    "many groups": """SELECT CAST(count(*) AS BIGINT) AS a FROM (
        SELECT repeat('k', 200) || i AS k FROM range(9000000) t(i) GROUP BY k)""",
    "many rows": "SELECT i AS a FROM range(10000000) t(i)",
    "recursion": "WITH RECURSIVE r(a) AS (SELECT 1::BIGINT UNION ALL SELECT a + 1 FROM r) SELECT a FROM r",
    "a tree of lists": """SELECT CAST(sum(len(flatten([range(i), range(2 * i)]))) AS BIGINT) AS a
        FROM range(60000) t(i)""",
}  # fmt: skip
ENDS = {"sandbox.deadline", "sandbox.memory", "sandbox.too_many_rows"}
RIGHT = "SELECT CAST(sum(i) AS BIGINT) AS a FROM range(1000) t(i)"
COLUMNS = (OutputColumn(name="a", type="BIGINT"),)


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Pool]:
    """Two jails: what one is filled with must not be felt in the other, nor by who comes next."""
    require_layers()
    pool = Pool(jails=2, threads=1, memory_bytes=MEMORY_BYTES, queue=8)
    await pool.start()
    await pool.fill()
    yield pool
    await pool.close()


async def _ask(pool: Pool) -> int:
    result = await pool.execute(RIGHT, [], COLUMNS, Limits(threads=1))
    found: int = pa.ipc.open_stream(result.stream).read_all()["a"][0].as_py()
    return found


async def _ends(pool: Pool, sql: str) -> tuple[str, bool]:
    limits = Limits(deadline_ms=500, memory_bytes=MEMORY_BYTES, max_rows=1_000, threads=1)
    with pytest.raises(SandboxFailed) as failed:
        await pool.execute(sql, [], COLUMNS, limits)
    return failed.value.code, failed.value.entered


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_ends_alone_and_whoever_asks_beside_it_gets_what_is_right(name: str, shared: Pool) -> None:
    jails, held = shared.pids(), len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    bomb = asyncio.create_task(_ends(shared, BOMBS[name]))
    answers = await asyncio.gather(*(_ask(shared) for _ in range(4)))
    code, entered = await bomb
    assert code in ENDS
    assert entered, "it was inside, so it costs its quote"
    assert [*answers, await _ask(shared)] == [499_500] * 5
    assert shared.pids() == jails, "neither jail was lost with it"
    assert len(os.listdir("/proc/self/fd")) <= held + 4  # noqa: PTH208 (a child that is made ready holds two)
