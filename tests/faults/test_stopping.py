"""What goes on until the service stops, and what is over by then: a query it did not wait for ends free."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from marketplace.queries.services import Services
from marketplace.web import parts


async def test_what_still_runs_as_the_service_stops_is_over_before_its_jail_is_killed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parts, "SHUTDOWN_S", 0)
    jail_killed = asyncio.Event()
    charged: list[str] = []

    async def to_its_end() -> None:
        await jail_killed.wait()
        charged.append("its quote")

    running = {asyncio.create_task(to_its_end())}
    await parts._drain(cast(Services, SimpleNamespace(running=running)))
    jail_killed.set()
    await asyncio.wait(running)
    assert charged == []


async def test_a_loop_that_failed_unforeseen_says_so_and_begins_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(parts, "AGAIN_S", 0)
    stop = asyncio.Event()
    rounds: list[int] = []

    async def loop() -> None:
        rounds.append(len(rounds))
        if len(rounds) < 3:
            raise ZeroDivisionError
        stop.set()

    await parts._going_on(loop, stop)
    assert rounds == [0, 1, 2]
    assert [record.exc_info is not None for record in caplog.records] == [True, True]
