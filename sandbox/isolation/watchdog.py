"""Where no control group bounds a child's memory: look at what it really holds, and end it above its limit."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from pathlib import Path

_PERIOD_S = 0.02
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


async def watch(pidfd: int, memory_bytes: int, kill: Callable[[], None], exceeded: asyncio.Event) -> None:
    """Look every 20 ms until cancelled; above `memory_bytes` of resident memory set `exceeded` and call `kill`."""
    statistics = Path(f"/proc/{_pid(pidfd)}/statm")
    while True:
        try:
            resident = int(statistics.read_text().split()[1]) * _PAGE_BYTES
        except (OSError, IndexError):
            return
        if resident > memory_bytes:
            exceeded.set()
            kill()
            return
        await asyncio.sleep(_PERIOD_S)


def _pid(pidfd: int) -> int:
    text = Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    found = re.search(r"^Pid:\s+(-?\d+)$", text, re.MULTILINE)
    return int(found[1]) if found else -1
