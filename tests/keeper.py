"""Keeps warm jails for the tests of a run: a process of its own that lends each to one borrower at a time.

`python -m tests.keeper DESCRIPTOR`, of a socket that listens; it ends with its standard input.
A jail for one job costs half a second of a processor, and one for Great Expectations four: nearly all of it are
imports. What is lent has done them, and forks its child for the job as a query's does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import socket
import sys
from unittest.mock import patch

import msgspec
from msgspec import Struct

from sandbox.isolation import runtime, start
from sandbox.isolation.jail import Jail, JailLost

AGAIN = b"again"
"""Said of a jail whose job ended as it should; without it the jail is ended, for its borrower may be dead."""
MESSAGE_BYTES = 1 << 16
_IDLE = 12
"""Jails that wait for a borrower, 60 MB each; beyond, the one that has waited longest is ended."""


class Told(Struct, frozen=True):
    """Goes with the jail's control socket, its errors and its process. `lost`: there is none, and why."""

    pid: int = 0
    memory: str = ""
    others: tuple[str, ...] = ()
    version: int = 0
    lost: str | None = None


class _Unasked(Jail):
    """Whoever borrows it waits for its children."""

    async def prepare(self) -> None:
        """Nothing is read here from a jail."""


class Keeper:
    """Jails by their shape: lent ones by the connection of whoever has them, and idle ones, the oldest first."""

    def __init__(self) -> None:
        self.lent: dict[socket.socket, tuple[bytes, Jail]] = {}
        self._idle: list[tuple[bytes, Jail]] = []

    def lend(self, borrower: socket.socket) -> None:
        """Answer who asks for a shape with a jail of it."""
        try:
            asked = borrower.recv(MESSAGE_BYTES)
            jail = self._taken(asked) or _opened(asked)
        except (JailLost, OSError, msgspec.DecodeError) as lost:  # of whom asked and died, nothing can be read
            with contextlib.suppress(OSError), borrower:
                borrower.send(msgspec.msgpack.encode(Told(lost=str(lost))))
            return
        self.lent[borrower] = asked, jail
        group = jail.group
        told = Told(pid=jail.pid) if group is None else Told(
            jail.pid, str(group.memory), tuple(map(str, group.others)), group.version
        )  # fmt: skip
        pidfd = os.pidfd_open(jail.pid)
        with contextlib.suppress(OSError):  # who asked may be dead: then its connection tells
            given = [jail._control.fileno(), jail._errors, pidfd]
            socket.send_fds(borrower, [msgspec.msgpack.encode(told)], given)
        os.close(pidfd)

    def take_back(self, borrower: socket.socket) -> None:
        """What it has, since it said something or is gone."""
        shape, jail = self.lent.pop(borrower)
        said = b""
        with borrower, contextlib.suppress(OSError):
            said = borrower.recv(MESSAGE_BYTES)
        if said != AGAIN:
            return jail.close()
        self._idle.append((shape, jail))
        if len(self._idle) > _IDLE:
            self._idle.pop(0)[1].close()
        return None

    def _taken(self, asked: bytes) -> Jail | None:
        for place in reversed(range(len(self._idle))):
            if self._idle[place][0] == asked:
                jail = self._idle.pop(place)[1]
                if jail.alive:
                    return jail
                jail.close()
        return None


def _opened(asked: bytes) -> Jail:
    shape = msgspec.msgpack.decode(asked, type=start.Shape)
    if shape.single:
        shape = msgspec.structs.replace(shape, single=False, extra=(*runtime.numpy(), *shape.extra))
    with patch.object(start, "Jail", _Unasked):
        return asyncio.run(start.open_jail(shape))


def main(listening: socket.socket) -> None:
    """Lend until nobody is there to lend to."""
    keeper, asking = Keeper(), set[socket.socket]()
    while True:
        waited = [listening, *asking, *keeper.lent]
        numbers = select.select([0, *(one.fileno() for one in waited)], [], [])[0]
        if 0 in numbers:
            return
        for one in (each for each in waited if each.fileno() in numbers):
            if one is listening:
                asking.add(listening.accept()[0])
            elif one in asking:
                asking.remove(one)
                keeper.lend(one)
            else:
                keeper.take_back(one)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
