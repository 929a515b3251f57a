"""Plans run in a real jail: several parts, several tables, and the answer is what the plan promised."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pyarrow as pa
import pytest

from sandbox.isolation.pool import Pool
from sandbox.job import Limits, SandboxFailed, TableFiles
from sandbox.plan.limits import STEPS
from sandbox.run import run
from tests.attack.conftest import require_layers
from tests.sandbox.plan.asking import Rows, World, same
from tests.sandbox.plan.examples import groups, question

FOUND_IN_THE_JAIL = (
    "SELECT t.word, p.n FROM (VALUES (TRUE, 'yes'), (FALSE, 'no')) t(ok, word), LATERAL (SELECT count(*) AS n "
    "FROM people p WHERE p.ok = t.ok) p",
    "WITH RECURSIVE reach(a) AS (SELECT 1 UNION SELECT (a * 3) % 17 FROM reach) SELECT a FROM reach",
    "SELECT sex, count(*) AS n, avg(pay), sum(age), list(DISTINCT ok ORDER BY ok) FROM people GROUP BY sex",
    'SELECT p.sex, s."Tên cửa hàng" AS "cửa hàng", count(*) FROM people p JOIN shops s USING (sex) GROUP BY ALL',
    "SELECT age, born, seen, cost, big, note, ok FROM people ORDER BY seen LIMIT 5",
    "SELECT * FROM shops ORDER BY rank",
)


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Pool]:
    require_layers()
    opened = Pool(jails=1, threads=2, memory_bytes=512 * 1024 * 1024, queue=2)
    await opened.start()
    yield opened
    await opened.close()


def files(world: World) -> list[TableFiles]:
    return [TableFiles(name=n, parts=tuple(Path(p) for p in parts)) for n, parts in world.sources.items()]


async def asked(world: World, pool: Pool, sql: str) -> Rows:
    result = await run(world.plan(sql), files(world), Limits(), pool)
    table = pa.ipc.open_stream(result.stream).read_all()
    assert result.columns == world.plan(sql).output
    assert table.schema.names == [c.name for c in result.columns]
    return [tuple(row[name] for name in table.schema.names) for row in table.to_pylist()]


@pytest.mark.parametrize("sql", FOUND_IN_THE_JAIL)
async def test_the_jail_answers_what_plain_duckdb_answers(world: World, pool: Pool, sql: str) -> None:
    assert same(await asked(world, pool, sql), world.plain(sql))


async def test_no_function_needs_what_the_jail_does_not_give(world: World, pool: Pool) -> None:
    for kind, calls in groups(90):
        sql = question(calls, kind)
        assert same(await asked(world, pool, sql), world.plain(sql)), sql


COUNTING = (
    "WITH RECURSIVE q AS (SELECT 1 AS a UNION{all} SELECT a + 1 FROM q WHERE a < {last}) SELECT max(a) FROM q"
)


@pytest.mark.parametrize("all_rows", ["", " ALL"])
async def test_a_recursion_takes_as_many_steps_as_the_limit_and_no_more(
    world: World, pool: Pool, all_rows: str
) -> None:
    at_most = COUNTING.format(all=all_rows, last=STEPS + 1)
    assert await asked(world, pool, at_most) == [(STEPS + 1,)]
    for endless in (COUNTING.format(all=all_rows, last=STEPS + 2), COUNTING.format(all=all_rows, last=10**9)):
        with pytest.raises(SandboxFailed) as failed:
            await asked(world, pool, endless)
        assert (failed.value.code, failed.value.entered) == ("sandbox.too_many_steps", True)


async def test_a_cell_that_says_what_the_limit_says_is_told_as_any_other_error(world: World, pool: Pool) -> None:
    with pytest.raises(SandboxFailed) as failed:
        await asked(world, pool, "SELECT CAST('recursion' || left(note, 0) AS BIGINT) FROM people")
    assert failed.value.code == "sandbox.engine_refused"


async def test_what_only_the_engine_can_refuse_is_told_without_its_words(world: World, pool: Pool) -> None:
    plan = world.plan("SELECT CAST(note AS BIGINT) FROM people")
    with pytest.raises(SandboxFailed) as failed:
        await run(plan, files(world), Limits(), pool)
    assert failed.value.code == "sandbox.engine_refused"
    assert "_é" not in str(failed.value)
