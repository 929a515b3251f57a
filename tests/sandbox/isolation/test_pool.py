"""The pool as its callers see it: answers, limits, the queue, cancelled queries, jails that die."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sandbox.isolation import pool as pool_module
from sandbox.isolation.jail import Jail, JailLost, Outcome
from sandbox.isolation.meter import Meter
from sandbox.isolation.pool import Pool, source_path
from sandbox.isolation.start import Shape, open_jail
from sandbox.isolation.waiting import Child
from sandbox.job import Limits, OutputColumn, Result, SandboxFailed
from sandbox.worker.wire import Ended, Ready

ONE = (OutputColumn(name="a", type="INTEGER"),)
# Work without end for any patience of a test, in little memory.
ENDLESS = "SELECT count(*)::INTEGER AS a FROM range(10000000000) t(i) WHERE hash(i) % 3 = 7"


def rows(result: Result) -> list[dict[str, object]]:
    table = pa.ipc.open_stream(result.stream).read_all()
    found: list[dict[str, object]] = table.to_pylist()
    return found


async def failure(pool: Pool, sql: str, limits: Limits, columns: tuple[OutputColumn, ...] = ONE) -> SandboxFailed:
    with pytest.raises(SandboxFailed) as caught:
        await pool.execute(sql, [], columns, limits)
    return caught.value


async def until_idle(pool: Pool, jails: int) -> None:
    for _ in range(500):
        if pool.health().jails_idle == jails:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(pool.health())


async def test_a_query_reads_its_files_and_usage_is_measured(pool: Pool, part: Path) -> None:
    sql = f"SELECT g, sum(v)::BIGINT AS s FROM read_parquet(['{source_path(0)}', '{source_path(1)}']) GROUP BY g"
    columns = (OutputColumn(name="g", type="BIGINT"), OutputColumn(name="s", type="BIGINT"))
    result = await pool.execute(sql, [part, part], columns, Limits())
    assert result.rows == 100
    assert sum(int(str(row["s"])) for row in rows(result)) == 2 * sum(range(10_000))
    usage = result.usage
    assert 0 < usage.cpu_us < 10_000_000
    assert usage.engine_us <= usage.wall_us
    assert usage.peak_memory_bytes > 10_000_000
    assert usage.result_bytes == len(result.stream)


@pytest.mark.parametrize(
    ("sql", "type_", "value"),
    [
        ("true", "BOOLEAN", True),
        ("9007199254740993", "BIGINT", 9_007_199_254_740_993),
        ("1.5::DOUBLE", "DOUBLE", 1.5),
        ("170141183460469231731::DECIMAL(38,0)", "DECIMAL(38,0)", 170_141_183_460_469_231_731),
        ("'Đà Nẵng'", "VARCHAR", "Đà Nẵng"),
        ("DATE '2026-11-23'", "DATE", "2026-11-23"),
        ("TIMESTAMP '2026-11-23 05:00:00'", "TIMESTAMP", "2026-11-23 05:00:00"),
        ("['a', NULL]", "VARCHAR[]", ["a", None]),
        ("NULL::BIGINT", "BIGINT", None),
    ],
)
async def test_every_type_that_may_leave_comes_out_as_it_is(
    pool: Pool, sql: str, type_: str, value: object
) -> None:
    result = await pool.execute(f"SELECT {sql} AS a", [], (OutputColumn(name="a", type=type_),), Limits())
    got = rows(result)[0]["a"]
    assert (str(got) if type_ in ("DATE", "TIMESTAMP") else got) == value


async def test_an_empty_answer_is_an_answer(pool: Pool) -> None:
    result = await pool.execute("SELECT 1 AS a WHERE false", [], ONE, Limits())
    assert (result.rows, rows(result)) == (0, [])


async def test_each_query_starts_from_nothing(pool: Pool) -> None:
    for _ in range(3):
        result = await pool.execute("CREATE TABLE kept(a INTEGER); SELECT 1 AS a", [], ONE, Limits())
        assert result.rows == 1


async def test_more_rows_than_allowed_fail_and_are_never_cut(pool: Pool) -> None:
    limits = Limits(max_rows=10)
    sql = "SELECT i::INTEGER AS a FROM range({}) t(i)"
    assert (await pool.execute(sql.format(10), [], ONE, limits)).rows == 10
    failed = await failure(pool, sql.format(11), limits)
    assert (failed.code, failed.params) == ("sandbox.too_many_rows", {"max_rows": 10})


async def test_more_bytes_than_allowed_fail(pool: Pool) -> None:
    columns = (OutputColumn(name="a", type="VARCHAR"),)
    for size in (70_000, 5_000_000):
        failed = await failure(pool, f"SELECT repeat('x', {size}) AS a", Limits(max_bytes=65_536), columns)
        assert (failed.code, failed.entered) == ("sandbox.too_many_bytes", True)


async def test_an_engine_error_has_no_text(pool: Pool) -> None:
    failed = await failure(pool, "SELECT error('cell of data')::INTEGER AS a", Limits())
    assert (failed.code, failed.params, failed.entered) == ("sandbox.engine_refused", {}, True)
    assert "cell" not in repr(failed.__dict__) + repr(failed.__cause__)


async def test_the_deadline_ends_a_query_and_tells_what_it_used(pool: Pool) -> None:
    failed = await failure(pool, ENDLESS, Limits(deadline_ms=200))
    assert (failed.code, failed.params) == ("sandbox.deadline", {"deadline_ms": 200})
    assert failed.usage is not None
    assert failed.usage.cpu_us > 0


async def test_a_query_that_wants_too_much_memory_fails(pool: Pool) -> None:
    sql = "SELECT len(list(repeat('x', 1000) || i))::INTEGER AS a FROM range(2000000) t(i)"
    failed = await failure(pool, sql, Limits(memory_bytes=128 << 20))
    assert failed.code == "sandbox.memory"
    assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1


async def test_a_file_that_is_gone_never_enters(pool: Pool, tmp_path: Path) -> None:
    with pytest.raises(SandboxFailed) as caught:
        await pool.execute("SELECT 1 AS a", [tmp_path / "gone"], ONE, Limits())
    assert (caught.value.code, caught.value.entered) == ("sandbox.unavailable", False)
    await until_idle(pool, 2)


async def test_many_queries_at_once_all_get_their_own_answer(pool: Pool) -> None:
    async def ask(i: int) -> object:
        result = await pool.execute(f"SELECT {i} AS a", [], ONE, Limits())
        return rows(result)[0]["a"]

    for start in range(0, 40, 4):
        asked = list(range(start, start + 4))
        assert await asyncio.gather(*(ask(i) for i in asked)) == asked


async def test_a_full_queue_refuses_without_entering(pool: Pool) -> None:
    running = [asyncio.create_task(pool.execute(ENDLESS, [], ONE, Limits())) for _ in range(4)]
    await asyncio.sleep(0.05)
    assert pool.health().queries == 4
    failed = await failure(pool, "SELECT 1 AS a", Limits())
    assert (failed.code, failed.entered) == ("sandbox.unavailable", False)
    for task in running:
        task.cancel()
    done = await asyncio.gather(*running, return_exceptions=True)
    assert all(isinstance(outcome, asyncio.CancelledError) for outcome in done)
    assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1


async def test_a_cancelled_query_stops_using_the_processor(pool: Pool) -> None:
    await until_idle(pool, 2)
    task = asyncio.create_task(pool.execute(ENDLESS, [], ONE, Limits()))
    await until_idle(pool, 1)
    await asyncio.sleep(0.1)
    jails = pool.pids()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1
    assert pool.pids() == jails


async def test_a_jail_killed_in_the_middle_is_replaced(pool: Pool) -> None:
    await until_idle(pool, 2)
    before = set(pool.pids())
    running = [asyncio.create_task(pool.execute(ENDLESS, [], ONE, Limits())) for _ in range(2)]
    await until_idle(pool, 0)
    await asyncio.sleep(0.1)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    for task in running:
        with pytest.raises(SandboxFailed) as caught:
            await task
        assert (caught.value.code, caught.value.entered) == ("sandbox.worker_lost", True)
    assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1
    await until_idle(pool, 2)
    assert before.isdisjoint(pool.pids())


async def test_a_child_killed_while_it_waits_costs_no_query(pool: Pool) -> None:
    await until_idle(pool, 2)
    for jail in pool._jails:
        assert jail._waiting is not None
        signal.pidfd_send_signal(jail._waiting.pidfd, signal.SIGKILL)
        select.select([jail._waiting.pidfd], [], [])
    for _ in range(2):
        assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1


@pytest.mark.parametrize(("deaths", "lost"), [(1, 0), (2, 1)])
async def test_children_that_end_before_anybody_looked_cost_no_query_and_two_of_them_the_jail(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, deaths: int, lost: int
) -> None:
    await until_idle(pool, 2)
    honest, buried, jails = Jail._event, list[int](), set(pool.pids())

    async def late(jail: Jail) -> tuple[Ready | Ended, list[int]]:
        event, descriptors = await honest(jail)
        if isinstance(event, Ready) and len(buried) < deaths:
            signal.pidfd_send_signal(descriptors[1], signal.SIGKILL)
            while "NSpid:\t-1\n" not in Path(f"/proc/self/fdinfo/{descriptors[1]}").read_text():  # noqa: ASYNC110, ASYNC240
                await asyncio.sleep(0.005)
            buried.append(event.pid)
        return event, descriptors

    monkeypatch.setattr(Jail, "_event", late)
    assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1
    await until_idle(pool, 1)
    await until_idle(pool, 2)
    assert (len(buried), len(jails - set(pool.pids()))) == (deaths, lost)
    assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1


def test_a_process_that_is_gone_has_used_nothing() -> None:
    process = subprocess.Popen([sys.executable, "-S", "-c", ""])
    pidfd = os.pidfd_open(process.pid)
    process.wait()
    meter = Meter(pidfd)
    os.close(pidfd)
    before_ns = time.process_time_ns()
    while time.process_time_ns() - before_ns < 2_000_000:
        pass
    assert (meter.cpu_us(), meter.peak_memory_bytes(), meter.memory_bytes()) == (0, 0, 0)


@pytest.fixture
def handed_over_dead(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[int]]:
    """The next so many children end with their job unread; gives the processes of those that did."""
    honest, ended = Jail._hand_over, list[int]()

    def arrange(count: int) -> list[int]:
        async def dying(jail: Jail, child: Child, *given: Any) -> None:
            if len(ended) < count:
                signal.pidfd_send_signal(child.pidfd, signal.SIGSTOP)
                await honest(jail, child, *given)
                signal.pidfd_send_signal(child.pidfd, signal.SIGKILL)
                ended.append(child.pid)
            else:
                await honest(jail, child, *given)

        monkeypatch.setattr(Jail, "_hand_over", dying)
        return ended

    return arrange


async def test_a_child_that_ends_before_it_read_its_job_costs_no_query(
    pool: Pool, part: Path, handed_over_dead: Callable[[int], list[int]]
) -> None:
    await until_idle(pool, 2)
    ended, jails = handed_over_dead(1), pool.pids()
    sql = f"SELECT count(*)::INTEGER AS a FROM read_parquet(['{source_path(0)}'])"
    assert rows(await pool.execute(sql, [part], ONE, Limits())) == [{"a": 10_000}]
    assert (len(ended), pool.pids()) == (1, jails)


async def test_two_that_end_so_give_the_query_back_and_lose_the_jail(
    pool: Pool, handed_over_dead: Callable[[int], list[int]]
) -> None:
    await until_idle(pool, 2)
    ended, jails = handed_over_dead(2), set(pool.pids())
    with pytest.raises(JailLost):
        await pool.execute("SELECT 1 AS a", [], ONE, Limits())
    assert len(ended) == 2
    await until_idle(pool, 2)
    assert len(jails & set(pool.pids())) == 1
    assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1


async def test_one_ended_by_its_own_query_has_entered_whether_or_not_it_read(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await until_idle(pool, 2)
    honest, ends = Jail._hand_over, list[Callable[[], None]]()

    async def cancelled(jail: Jail, child: Child, *given: Any) -> None:
        signal.pidfd_send_signal(child.pidfd, signal.SIGSTOP)
        await honest(jail, child, *given)
        ends[0]()

    monkeypatch.setattr(Jail, "_hand_over", cancelled)
    with pytest.raises(SandboxFailed) as caught:
        await pool.execute("SELECT 1 AS a", [], ONE, Limits(), inside=ends.append)
    assert (caught.value.code, caught.value.entered) == ("sandbox.worker_lost", True)


async def test_a_child_killed_after_it_read_its_job_has_entered(pool: Pool) -> None:
    await until_idle(pool, 2)
    running = [asyncio.create_task(pool.execute(ENDLESS, [], ONE, Limits())) for _ in range(2)]
    await until_idle(pool, 0)
    await asyncio.sleep(0.3)
    for jail in pool._jails:
        assert jail._running is not None
        signal.pidfd_send_signal(jail._running.pidfd, signal.SIGKILL)
    for task in running:
        with pytest.raises(SandboxFailed) as caught:
            await task
        assert (caught.value.code, caught.value.entered) == ("sandbox.worker_lost", True)


async def test_a_child_killed_after_its_reply_has_answered(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    await until_idle(pool, 2)
    honest = pool_module._sealed

    def dead(descriptor: int, outcome: Outcome, size: int) -> Any:
        for jail in pool._jails:
            jail.kill_running()
        return honest(descriptor, outcome, size)

    monkeypatch.setattr(pool_module, "_sealed", dead)
    assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1


async def test_a_jail_killed_while_it_waits_costs_no_query() -> None:
    pool = Pool(jails=1, threads=1, memory_bytes=256 << 20, queue=1)
    await pool.start()
    try:
        os.kill(pool.pids()[0], signal.SIGKILL)
        await asyncio.sleep(0.2)
        assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1
    finally:
        await pool.close()


async def test_queries_do_not_wait_for_the_other_jails_and_one_that_does_not_open_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pool, tries = Pool(jails=2, threads=1, memory_bytes=256 << 20, queue=1), list[int]()
    await pool.start()
    try:
        assert pool.health().jails_alive == 1

        async def first_fails(shape: Shape) -> Jail:
            tries.append(len(pool.pids()))
            if len(tries) == 1:
                raise JailLost("no memory")
            return await open_jail(shape)

        monkeypatch.setattr(pool_module, "open_jail", first_fails)
        filling = pool.fill()
        assert (await pool.execute("SELECT 1 AS a", [], ONE, Limits())).rows == 1
        assert not filling.done()
        await filling
        assert (pool.health().jails_alive, len(tries)) == (2, 2)
    finally:
        await pool.close()


async def test_a_pool_closed_while_its_jails_open_leaves_none() -> None:
    pool = Pool(jails=2, threads=1, memory_bytes=256 << 20, queue=1)
    await pool.start()
    pool.fill()
    await asyncio.sleep(0.05)
    await pool.close()
    assert pool.pids() == ()


async def test_a_closed_pool_leaves_nothing_behind() -> None:
    pool = Pool(jails=1, threads=1, memory_bytes=256 << 20, queue=1)
    await pool.start()
    (pid,) = pool.pids()
    running = asyncio.create_task(pool.execute(ENDLESS, [], ONE, Limits()))
    await asyncio.sleep(0.05)
    await pool.close()
    with pytest.raises((SandboxFailed, asyncio.CancelledError)):
        await running
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    failed = await failure(pool, "SELECT 1 AS a", Limits())
    assert failed.code == "sandbox.unavailable"
