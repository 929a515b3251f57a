"""A service that stops leaves the queries it did not wait for to the sweep: they end free."""

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
    jail_killed, charged = asyncio.Event(), []

    async def to_its_end() -> None:
        await jail_killed.wait()
        charged.append("its quote")

    running = {asyncio.create_task(to_its_end())}
    await parts._drain(cast(Services, SimpleNamespace(running=running)))
    jail_killed.set()
    await asyncio.wait(running)
    assert charged == []
