"""What a service and its jails hold in memory while they do something, and the most of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

EVERY_S = 0.25
GIB = 1024**3
_PAGE_BYTES = 4096


class Held(Struct, frozen=True, kw_only=True):
    """GiB resident, mapped files among it: of the service, of its jails, and of both at one moment."""

    service: float = 0.0
    jails: float = 0.0
    both: float = 0.0


class Watch:
    """Looks at a process and all below it, but for PostgreSQL, four times a second; `doing` names what it does."""

    def __init__(self, pid: int) -> None:
        self.pid, self.doing = pid, ""
        self.most: dict[str, Held] = {}
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
            service, jails = _resident(self.pid), sum(map(_resident, _below(self.pid)))
            before = self.most.get(self.doing, Held())
            self.most[self.doing] = Held(
                service=max(before.service, service / GIB), jails=max(before.jails, jails / GIB),
                both=max(before.both, (service + jails) / GIB),
            )  # fmt: skip


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


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_BYTES
    except (OSError, IndexError):
        return 0
