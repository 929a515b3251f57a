"""Run in a real jail before a pool opens: tries what each layer must stop, and says what went through.

Most attacks meet several layers, so that a missing one would not show. Therefore `warm` tries each alone, in the
warm process as bubblewrap made it and in forks of it that bind themselves by one layer, and once more in the warm
process itself when it is bound; `attempt` tries all of it in a child.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import resource
import socket
from collections.abc import Callable, Iterable
from typing import BinaryIO, NoReturn

import msgspec

from sandbox.worker import syscalls
from sandbox.worker.attempts import CHILD, SECCOMP, STARTED, WARM, Attempt, landlock_attempts
from sandbox.worker.wire import Boot

Through = list[tuple[str, str]]
"""(layer, what a child could do) of what no layer stopped."""
_found: Through = []
_SPARE_BYTES = 32 * 1024 * 1024
_MADV_POPULATE_WRITE = 23
_MOST = 4_096
_FAR_BYTES = 1 << 40


def warm(boot: Boot) -> None:
    """In the warm process, which is bound by nothing but bubblewrap and its control group."""
    _found.extend(_tried(STARTED))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(b"\0probe")
    listener.listen()
    _found.extend(_apart("landlock", syscalls.landlock_everything, landlock_attempts(syscalls.landlock_abi())))
    listener.close()
    _found.extend(_apart("seccomp", lambda: syscalls.seccomp_allow_list(boot.allow_program), SECCOMP))
    _found.extend(_apart("limits", lambda: _limit(boot), _limits(boot)))
    if boot.group_bytes is not None:
        _found.extend(
            _apart("cgroup", lambda: None, [Attempt("cgroup", "start processes without end", _processes)])
        )
        _found.extend(_memory(boot.group_bytes))
    # The next fork is that of the first child, which inherits what was found: the warm process is bound by then.
    os.register_at_fork(before=lambda: _found.extend(_tried(WARM)))


def attempt(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """In a child behind every layer: give the names of all attempts that were not stopped, as msgpack."""
    return msgspec.msgpack.encode([*_found, *_tried(CHILD)])


def _tried(attempts: Iterable[Attempt]) -> Through:
    return [(a.layer, a.name) for a in attempts if _goes_through(a.act)]


def _goes_through(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError:
        return False
    return True


def _apart(layer: str, bind: Callable[[], None], attempts: Iterable[Attempt]) -> Through:
    """Try them in a process of its own, bound by one layer."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            bind()
            os.write(writer, msgspec.msgpack.encode(_tried(attempts)))
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        told = file.read()
    os.waitpid(pid, 0)
    return msgspec.msgpack.decode(told, type=Through) if told else [(layer, "not be bound by it")]


def _limit(boot: Boot) -> None:
    for name, value in boot.resource_limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    if boot.address_space_bytes is not None:
        resource.setrlimit(resource.RLIMIT_AS, (boot.address_space_bytes, boot.address_space_bytes))


def _limits(boot: Boot) -> list[Attempt]:
    found = [
        Attempt("limits", "open files without end", _descriptors),
        Attempt("limits", "write a file without end", _write_far_behind),
        Attempt("limits", "start processes without end", _processes),
    ]
    if (most := boot.address_space_bytes) is not None:
        found.append(Attempt("limits", "ask for memory without end", lambda: mmap.mmap(-1, most)))
    return found


def _descriptors() -> None:
    opened = []
    try:
        for _ in range(_MOST):
            opened.append(os.dup(0))
    finally:
        for descriptor in opened:
            os.close(descriptor)


def _write_far_behind() -> None:
    os.pwrite(os.memfd_create("probe"), b"x", _FAR_BYTES)


def _processes() -> None:
    """Start more than any limit allows; all end when the pipe is closed, whatever becomes of this."""
    reader, writer = os.pipe()
    started = []
    try:
        for _ in range(64):
            pid = os.fork()
            if pid == 0:
                _wait_and_end(reader, writer)
            started.append(pid)
    finally:
        os.close(writer)
        os.close(reader)
        for pid in started:
            os.waitpid(pid, 0)


def _wait_and_end(reader: int, writer: int) -> NoReturn:
    try:
        os.close(writer)
        os.read(reader, 1)
    finally:
        os._exit(0)


def _memory(limit_bytes: int) -> Through:
    """Hold a little more memory than the group may: whoever does is killed, and nobody else."""
    pid = os.fork()
    if pid == 0:
        os._exit(_hold(limit_bytes + _SPARE_BYTES))
    _, status = os.waitpid(pid, 0)
    return [("cgroup", "hold more memory than its limit")] if status == 0 else []


def _hold(size_bytes: int) -> int:
    """0 if it could; in large pages, which take a third of the time."""
    with mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as held:
        with contextlib.suppress(OSError):
            held.madvise(mmap.MADV_HUGEPAGE)
        try:
            held.madvise(_MADV_POPULATE_WRITE)
        except OSError:
            return 1
    return 0
