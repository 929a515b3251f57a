"""A child that is told so goes the whole way of a job before one is there, and keeps nothing of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sandbox.isolation import pool as pool_module
from sandbox.isolation.jail import Jail
from sandbox.isolation.pool import Pool
from sandbox.isolation.runtime import Bind
from sandbox.isolation.start import Shape, open_jail
from sandbox.job import Limits, OutputColumn
from tests.attack.conftest import require_layers

_ONE = (OutputColumn(name="a", type="INTEGER"),)


@pytest.fixture
async def jail() -> AsyncIterator[Jail]:
    require_layers()
    module = Bind(str(Path(__file__).with_name("rehearsed.py")), "/app/rehearsed.py")
    opened = await open_jail(Shape(entry="rehearsed:run", threads=1, memory_bytes=256 << 20, extra=(module,)))
    yield opened
    opened.close()


async def _asked(jail: Jail) -> tuple[list[bytes], int, bytes]:
    output = os.memfd_create("answer")
    try:
        outcome = await jail.run(b"mine", output=output, inputs=[], deadline_ms=20_000, memory_bytes=256 << 20)
        *done, held = outcome.body.split(b"|")
        return done, int(held), os.pread(output, 100, 0)
    finally:
        os.close(output)
        await jail.prepare()


async def test_a_child_rehearses_when_it_is_told_and_only_once(jail: Jail) -> None:
    unprepared = await _asked(jail)
    assert (unprepared[0], unprepared[2]) == ([b"mine"], b"mine")
    jail.rehearse()
    jail.rehearse()
    prepared = await _asked(jail)
    assert (prepared[0], prepared[2]) == ([b"for nobody", b"mine"], b"mine")
    assert prepared[1] == unprepared[1], "a descriptor is left of the rehearsal"
    assert (await _asked(jail))[0] == [b"mine"], "the next child has not heard of it"


async def test_a_child_that_has_ended_hears_nothing(jail: Jail) -> None:
    assert jail._waiting is not None
    jail._waiting.kill()
    jail.rehearse()
    assert (await _asked(jail))[0] == [b"mine"]


async def test_children_rehearse_once_no_query_has_been_here_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    require_layers()
    told: list[Jail] = []
    heard = asyncio.Event()

    def rehearse(jail: Jail) -> None:
        told.append(jail)
        heard.set()

    monkeypatch.setattr(Jail, "rehearse", rehearse)
    pool = Pool(jails=1, threads=1, memory_bytes=256 << 20, queue=2)
    await pool.start()
    try:
        await asyncio.wait_for(heard.wait(), 20)
        monkeypatch.setattr(pool_module, "_QUIET_S", 0.0)
        inside = list[int]()

        def one_more(_: object) -> None:
            told.clear()
            heard.clear()

        def count(_: object) -> None:
            inside.append(len(told))

        both = [pool.execute("SELECT 1 AS a", [], _ONE, Limits(), inside=call) for call in (one_more, count)]
        await asyncio.gather(*both)
        assert inside == [0], "told while a query waited"
        await asyncio.wait_for(heard.wait(), 20)
    finally:
        await pool.close()
