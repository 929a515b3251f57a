"""Jails for one job each, borrowed from the run's keeper by whatever is not a test of jails.

Every job has a child of its own, as behind all layers as ever; that a jail for one job begins with nothing warm is
what the tests below `OWN` show, whose jails are their own.
"""

from __future__ import annotations

import os
import secrets
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import cast

import msgspec

from sandbox.isolation import oneshot, start
from sandbox.isolation.cgroup import Cgroup
from sandbox.isolation.jail import Jail, JailLost, Outcome
from tests.keeper import AGAIN, MESSAGE_BYTES, Told

OWN = ("tests/attack/", "tests/sandbox/isolation/", "tests/faults/test_damage.py")
KEEPER = "SANDULIEU_TESTS_KEEPER"
"""Where the keeper listens, for this process and what it starts; empty: nobody borrows."""
_ROOT = Path(__file__).resolve().parents[1]
_open_own = start.open_jail


@contextmanager
def keeping() -> Iterator[str]:
    """A keeper; gives its address. Whoever runs on is served to the end."""
    address = f"sandulieu-tests-{os.getpid()}-{secrets.token_hex(4)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
        listening.bind(f"\0{address}")
        listening.listen(64)
        command = [sys.executable, "-m", "tests.keeper", str(listening.fileno())]
        with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, pass_fds=(listening.fileno(),)):
            yield address


def keep() -> None:
    """From now on this process borrows, while it is told of a keeper."""
    oneshot.open_jail = open_jail  # type: ignore[attr-defined]


def may_borrow(nodeid: str) -> bool:
    """Whether the test is none of jails."""
    return not nodeid.startswith(OWN)


async def open_jail(shape: start.Shape) -> Jail:
    """As `start.open_jail`."""
    if not os.environ.get(KEEPER) or not shape.single:
        return await _open_own(shape)
    jail = _borrow(shape)
    try:
        await jail.prepare()
    except BaseException:
        jail.close()
        raise
    return jail


class _Process:
    """A jail's, which is a child of the keeper's."""

    def __init__(self, pid: int, pidfd: int) -> None:
        self.pid, self._pidfd = pid, pidfd

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def poll(self) -> int | None:
        return 0 if select.select([self._pidfd], [], [], 0)[0] else None

    def wait(self) -> None:
        select.select([self._pidfd], [], [])

    def close(self) -> None:
        os.close(self._pidfd)


class _Borrowed(Jail):
    """Given back when its job had a reply, which leaves the warm process as it was; else ended."""

    def __init__(self, keeper: socket.socket, shape: start.Shape, told: Told, descriptors: Sequence[int]) -> None:
        control, errors, pidfd = descriptors
        folders = Cgroup(Path(told.memory), tuple(map(Path, told.others)), told.version) if told.memory else None
        self._keeper, self._borrowed = keeper, _Process(told.pid, pidfd)
        process = cast("subprocess.Popen[bytes]", self._borrowed)
        super().__init__(process, socket.socket(fileno=control), folders, shape.memory_bytes, errors)
        self._control.setblocking(False)
        self._replied = False

    async def run(
        self, payload: bytes, *, output: int, inputs: Sequence[int], deadline_ms: int, memory_bytes: int
    ) -> Outcome:
        outcome = await super().run(
            payload, output=output, inputs=inputs, deadline_ms=deadline_ms, memory_bytes=memory_bytes
        )
        self._replied = outcome.reply is not None and not outcome.out_of_memory
        return outcome

    def close(self) -> None:
        again = self._replied and self._waiting is None and not self._ended_by_us
        self.kill_running()
        if not again:
            self.end()
            self._borrowed.wait()
        self._control.close()
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None
        os.close(self._errors)
        with self._keeper:
            self._keeper.send(AGAIN if again else b"ended")
        self._borrowed.close()


def _borrow(shape: start.Shape) -> Jail:
    keeper = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    keeper.connect(f"\0{os.environ[KEEPER]}")
    keeper.send(msgspec.msgpack.encode(shape))
    message, descriptors, _, _ = socket.recv_fds(keeper, MESSAGE_BYTES, 3)
    told = msgspec.msgpack.decode(message, type=Told)
    if told.lost is not None:
        keeper.close()
        raise JailLost(told.lost)
    return _Borrowed(keeper, shape, told, descriptors)
