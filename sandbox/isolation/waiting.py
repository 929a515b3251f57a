"""The child that waits for a job, as the warm process hands it over: believed as far as the kernel confirms it."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
from pathlib import Path

from msgspec import Struct

from sandbox.worker.wire import TIME_TO_REHEARSE

_NSPID = re.compile(r"^NSpid:\t(-?\d+)\t(\d+)$", re.MULTILINE)
_GONE = re.compile(r"^NSpid:\t-1$", re.MULTILINE)


class NoChild(Exception):
    """What was handed over is no child of that jail; the text is for the operator's log only."""


class Gone(Exception):
    """It had ended and was buried before anybody looked: the kernel no longer says whose it was."""


class Child(Struct, frozen=True):
    """Its socket, a descriptor of its process, and its number as the jail counts: a job's files go to no other."""

    socket: socket.socket
    pidfd: int
    pid: int

    def kill(self) -> None:
        """End it, if it has not ended."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)

    def rehearse(self) -> None:
        """Tell it that there is time for it; to be said once. One that has ended hears nothing."""
        with contextlib.suppress(OSError):
            self.socket.send(TIME_TO_REHEARSE)

    @property
    def ended(self) -> bool:
        """Whether it has."""
        return bool(select.select([self.pidfd], [], [], 0)[0])

    def close(self) -> None:
        """Give back what this process holds of it."""
        self.socket.close()
        os.close(self.pidfd)


def accept(descriptors: list[int], pid: int) -> Child:
    """The child, its socket not blocking. Raises NoChild or Gone, with every descriptor closed.

    A jail can get a descriptor of *our* process (SO_PEERPIDFD, Linux 6.5): handed over as its child's it would
    have us kill ourselves at the next deadline. So it must be of a process with that number in a namespace below.
    """
    try:
        if len(descriptors) != 2:
            raise NoChild("not two descriptors")
        _require_inside(descriptors[1], pid)
        taken = socket.socket(fileno=descriptors[0])
    except (OSError, NoChild) as error:
        close_all(descriptors)
        raise NoChild(str(error)) from error
    except Gone:
        close_all(descriptors)
        raise
    if (taken.family, taken.type) != (socket.AF_UNIX, socket.SOCK_STREAM):
        taken.close()
        os.close(descriptors[1])
        raise NoChild("not a socket of the kind")
    taken.setblocking(False)
    return Child(taken, descriptors[1], pid)


def close_all(descriptors: list[int]) -> None:
    """Close what nobody asked for."""
    for descriptor in descriptors:
        os.close(descriptor)


def _require_inside(pidfd: int, pid: int) -> None:
    told = Path(f"/proc/self/fdinfo/{pidfd}").read_text()
    if _GONE.search(told):
        raise Gone
    found = _NSPID.search(told)
    if found is None or int(found[2]) != pid:
        raise NoChild("not a process of the jail")
