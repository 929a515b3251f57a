"""Start a jail: control group, bubblewrap, the message that tells the warm process what to be."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from pathlib import Path

import msgspec
from msgspec import Struct

from sandbox.isolation import bwrap, cgroup, runtime, seccomp
from sandbox.isolation.jail import BASE_MEMORY_BYTES, Jail, JailLost
from sandbox.isolation.runtime import Bind
from sandbox.worker.wire import Boot

_BASE_ADDRESS_SPACE_BYTES = 3 * 1024**3
_SPARE_PROCESSES = 6
_LARGE_PAGES = Path("/sys/kernel/mm/transparent_hugepage/enabled")
_WARM_PROCESS = "from sandbox.worker.zygote import main; main({})"


class Shape(Struct, frozen=True, kw_only=True):
    """How a jail is built. `entry`: "module:function" that does a job, importable in the jail.

    `extra`: what the jail sees beyond `runtime.binds()`, read-only, and one of a single job beyond
    `runtime.numpy()`; a warm jail has none but in tests.
    """

    entry: str
    threads: int
    memory_bytes: int
    single: bool = False
    file_bytes: int = 1024**3
    extra: tuple[Bind, ...] = ()


async def open_jail(shape: Shape) -> Jail:
    """Start a jail and wait for its first child; raises JailLost with the reason for the operator."""
    executable = bwrap.find()
    if executable is None:
        raise JailLost("bubblewrap is not installed")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    total = shape.memory_bytes + BASE_MEMORY_BYTES
    group = cgroup.create(
        memory_bytes=total, processes=2 * shape.threads + _SPARE_PROCESSES, threads=shape.threads
    )
    errors = os.memfd_create("errors", os.MFD_CLOEXEC)
    seen = (*runtime.numpy(), *shape.extra) if shape.single else shape.extra
    command = bwrap.command(executable, group.tasks if group else (), _WARM_PROCESS.format(theirs.fileno()), seen)
    process = _spawn(command, theirs.fileno(), errors)
    theirs.close()
    ours.setblocking(False)
    jail = Jail(process, ours, group, shape.memory_bytes, errors)
    try:
        ours.send(msgspec.msgpack.encode(_boot(shape, group_bytes=total if group else None)))
        await jail.prepare()
    except (OSError, JailLost, MemoryError, RuntimeError, asyncio.CancelledError):
        jail.close()
        raise
    return jail


def _boot(shape: Shape, *, group_bytes: int | None) -> Boot:
    return Boot(
        entry=shape.entry,
        threads=shape.threads,
        memory_bytes=shape.memory_bytes,
        warm_program=seccomp.warm_program(),
        open_program=seccomp.open_program(),
        allow_program=seccomp.allow_program(),
        resource_limits={
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": shape.file_bytes,
            "RLIMIT_MEMLOCK": 0,
            "RLIMIT_MSGQUEUE": 0,
            "RLIMIT_NOFILE": 1_024,
            "RLIMIT_NPROC": 2 * shape.threads + _SPARE_PROCESSES,
        },
        address_space_bytes=None if group_bytes else _BASE_ADDRESS_SPACE_BYTES + shape.memory_bytes,
        group_bytes=group_bytes,
        single=shape.single,
        large_pages=_large_pages(),
    )


def _large_pages() -> bool:
    try:
        return "[never]" not in _LARGE_PAGES.read_text()
    except OSError:
        return False


def _spawn(command: list[str], control: int, errors: int) -> subprocess.Popen[bytes]:
    # The jail dies with the thread that starts it, so this runs in the caller's thread.
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=errors,
        pass_fds=(control,),
        env={},
        cwd="/",
    )
