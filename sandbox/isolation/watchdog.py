"""Where no control group bounds a child's memory: look at what it really holds, and end it above its limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sandbox.isolation.meter import Meter

_PERIOD_S = 0.02


async def watch(meter: Meter, memory_bytes: int, kill: Callable[[], None], exceeded: asyncio.Event) -> None:
    """Look every 20 ms until cancelled; above `memory_bytes` of resident memory set `exceeded` and call `kill`."""
    while meter.memory_bytes() <= memory_bytes:  # noqa: ASYNC110 (nobody could set an event)
        await asyncio.sleep(_PERIOD_S)
    exceeded.set()
    kill()
