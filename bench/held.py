"""What a service and its jails hold in memory while they do something, and what they take of the processors."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

EVERY_S = 0.25
GIB = 1024**3
_PAGE_BYTES = 4096
_TICKS = os.sysconf("SC_CLK_TCK")


class Held(Struct, frozen=True, kw_only=True):
    """GiB resident, mapped files among it: of the service, of its jails, and of both at one moment."""

    service: float = 0.0
    jails: float = 0.0
    both: float = 0.0


class Watch:
    """Looks at a process and all below it, but for PostgreSQL, four times a second; `doing` names what it does.

    `processor_s`: what a process took after the last look at it is missing."""

    def __init__(self, pid: int) -> None:
        self.pid, self.doing = pid, ""
        self.most: dict[str, Held] = {}
        self.processor_s: dict[str, float] = {}
        self._taken: dict[int, float] = {pid: _processor_s(pid)}
        self._over = threading.Event()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Until the end of the block."""
        thread = threading.Thread(target=self._look)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _look(self) -> None:
        while not self._over.wait(EVERY_S):
            below = list(_below(self.pid))
            service, jails = _resident(self.pid), sum(map(_resident, below))
            self._count([self.pid, *below])
            before = self.most.get(self.doing, Held())
            self.most[self.doing] = Held(
                service=max(before.service, service / GIB), jails=max(before.jails, jails / GIB),
                both=max(before.both, (service + jails) / GIB),
            )  # fmt: skip

    def _count(self, pids: list[int]) -> None:
        now = {pid: _processor_s(pid) for pid in pids}
        more = sum(max(0.0, taken - self._taken.get(pid, 0.0)) for pid, taken in now.items())
        self.processor_s[self.doing] = self.processor_s.get(self.doing, 0.0) + more
        self._taken |= now


def _below(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:  # it has just ended
            continue
        for child in children:
            if b"postgres" not in _command(child):
                yield child
                yield from _below(child)


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _processor_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0
