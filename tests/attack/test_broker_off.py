"""What the broker does against a hostile worker, each switched off: what it alone stops then goes through."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pyarrow as pa
import pytest

from sandbox.isolation import cgroup, jail, pool, seccomp, start
from sandbox.isolation.answer import Sink, Size
from sandbox.isolation.jail import Jail, Outcome
from sandbox.isolation.pool import Pool
from sandbox.job import Limits, OutputColumn, SandboxFailed
from tests.attack import switched_off
from tests.attack.conftest import Attack, give, lone_jail


def believing(data: bytes, columns: tuple[OutputColumn, ...], limits: Limits, sink: Sink) -> Size:
    """Whatever the worker wrote is the answer."""
    sink.write(data)
    return Size(1, 1)


async def test_without_validation_a_column_leaves_that_the_plan_does_not_name(
    attacked: Pool, attack: Attack, own_file: Path
) -> None:
    columns, limits = (OutputColumn(name="outcome", type="VARCHAR"),), Limits(max_bytes=65_536)
    with pytest.raises(SandboxFailed, match="invalid_result"):
        await attacked.execute("answers.one_column_more", [own_file], columns, limits)
    with patch.object(pool, "copy_answer", believing):
        result = await attacked.execute("answers.one_column_more", [own_file], columns, limits)
    assert pa.ipc.open_stream(result.stream).read_all()["secret"].to_pylist() == ["y"]


async def test_without_the_seal_the_answer_changes_after_it_was_looked_at(attack: Attack) -> None:
    looks: list[bytes] = []
    honest = pool._sealed

    def unsealed(descriptor: int, outcome: Outcome, size: int) -> bytes:
        assert outcome.reply is not None
        for _ in range(2_000):
            looks.append(os.pread(descriptor, outcome.reply.written_bytes, 0))
            if b"later!" in looks[-1]:
                break
            time.sleep(0.002)
        return _small(honest(descriptor, outcome, size))

    def sealed(descriptor: int, outcome: Outcome, size: int) -> bytes:
        data = _small(honest(descriptor, outcome, size))
        looks.extend([data, *(os.pread(descriptor, len(data), 0) for _ in range(200))])
        return data

    with patch.object(pool, "_sealed", sealed):
        assert await attack("staying.to_change_the_answer") in ("before", "later!")
    assert len(set(looks)) == 1
    looks.clear()
    with patch.object(pool, "_sealed", unsealed):
        await attack("staying.to_change_the_answer")
    assert b"later!" in looks[-1]


def _small(data: object) -> bytes:
    assert isinstance(data, bytes)
    return data


async def test_a_child_that_served_twice_would_read_the_next_querys_file(own_file: Path) -> None:
    honest = Jail.prepare

    async def keep(self: Jail) -> None:
        """The child that has answered gets the next job."""
        if self._running is None:
            await honest(self)
        else:
            self._waiting, self._running = self._running, None

    async with lone_jail() as used:
        assert await give(used, "staying.for_the_next_job") == "first"
        assert await give(used, "answers.environment", own_file) == ""
        with patch.object(Jail, "prepare", keep):
            assert await give(used, "staying.for_the_next_job") == "first"
            assert await give(used, "answers.environment", own_file) == "stolen: own version"


async def test_without_group_watchdog_and_address_space_a_child_holds_what_it_likes() -> None:
    async def sleep(*_: object) -> None:
        await asyncio.sleep(60)

    with patch.object(cgroup, "create", lambda **_: None):
        async with lone_jail() as watched:
            assert await give(watched, "exhaustion.hold_more_than_allowed") == "out of memory"
        with patch.object(jail, "watch", sleep):
            async with lone_jail() as free:
                assert (await give(free, "exhaustion.hold_more_than_allowed")).startswith("held")
            with patch.object(start, "_BASE_ADDRESS_SPACE_BYTES", 0):
                async with lone_jail() as bounded:
                    assert await give(bounded, "exhaustion.hold_more_than_allowed") in ("memory", "engine", "lost")


async def test_landlock_and_supervisor_each_hold_alone_and_without_both_the_runtime_is_read(
    tmp_path: Path,
) -> None:
    library = seccomp._library()
    unsupervised = library.SyscallFilter(library.ALLOW)
    unsupervised.add_rule(library.NOTIFY, "openat2")
    program = seccomp._compiled(unsupervised)
    open_kernel = switched_off.worker(
        tmp_path, "syscalls.py", "    _syscall(_LANDLOCK_RESTRICT, descriptor, 0)\n", ""
    )

    async def reads(*extra: Any) -> str:
        async with lone_jail(*extra) as built:
            return (await give(built, "files.standard_library"))[:7]

    with open_kernel as bind:
        assert await reads(bind) == "stopped"
        with patch.object(seccomp, "open_program", lambda: program):
            assert await reads() == "stopped"
            assert await reads(bind) == "through"
