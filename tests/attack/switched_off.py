"""Switches that tests alone have: a jail built with one layer missing, everything else as it is."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from sandbox.isolation import bwrap, cgroup, probe, seccomp, start
from sandbox.isolation.cgroup import Cgroup
from sandbox.isolation.oneshot import run_once
from sandbox.isolation.runtime import Bind
from sandbox.worker.wire import Boot

WORKER = Path(__file__).parents[2] / "sandbox" / "worker"
NO_LIMIT = 1 << 40


@contextmanager
def command(*changes: tuple[tuple[str, ...], tuple[str, ...]]) -> Iterator[None]:
    """bubblewrap gets other words instead of these."""
    honest = bwrap.command

    def changed(*asked: Any) -> list[str]:
        made = honest(*asked)
        plan = msgspec.json.decode(made[-2], type=dict[str, list[str]])
        plan = {name: _replaced(words, changes) for name, words in plan.items()}
        return [*made[:-2], msgspec.json.encode(plan).decode(), made[-1]]

    with patch.object(bwrap, "command", changed):
        yield


def _replaced(words: list[str], changes: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]) -> list[str]:
    text = "\0".join(words)
    for before, after in changes:
        text = text.replace("\0".join(before), "\0".join(after))
    return [word for word in text.split("\0") if word]


@contextmanager
def worker(folder: Path, module: str, before: str, after: str) -> Iterator[Bind]:
    """In the jail a module of the worker with other text."""
    source = (WORKER / module).read_text()
    assert before in source
    (folder / module).write_text(source.replace(before, after))
    bind = Bind(str(folder / module), f"/app/sandbox/worker/{module}")
    honest = run_once

    def run(*asked: Any, **more: Any) -> Any:
        return honest(*asked, **more, extra=(bind,))

    with patch.object(probe, "run_once", run):
        yield bind


@contextmanager
def namespaces(_: Path) -> Iterator[None]:
    """The machine's own network and host name."""
    wanted = ("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-cgroup")
    with command((("--unshare-all",), wanted), (("--hostname", "jail"), ())):
        yield


@contextmanager
def read_only(_: Path) -> Iterator[None]:
    """The root can be written, and the folder of names has no size."""
    with command((("--remount-ro", "/", "--chdir"), ("--chdir",)), (("--size", bwrap._NAMES_BYTES), ())):
        yield


@contextmanager
def capabilities(_: Path) -> Iterator[None]:
    """All of them, in the jail's own user namespace."""
    with command((("--cap-drop",), ("--cap-add",))):
        yield


@contextmanager
def environment(_: Path) -> Iterator[None]:
    """A key in it, as a service may have one."""
    with command((("--clearenv",), ("--setenv", "SECRET_KEY", "x"))):
        yield


@contextmanager
def descriptors(_: Path) -> Iterator[None]:
    """One more is inherited."""
    honest = subprocess.Popen

    def popen(*asked: Any, pass_fds: tuple[int, ...], **more: Any) -> Any:
        return honest(*asked, pass_fds=(*pass_fds, more["stderr"]), **more)

    with patch.object(subprocess, "Popen", popen):
        yield


@contextmanager
def landlock(folder: Path) -> Iterator[None]:
    """The kernel is not asked to bind the process."""
    with worker(folder, "syscalls.py", "    _syscall(_LANDLOCK_RESTRICT, descriptor, 0)\n", ""):
        yield


def _everything() -> bytes:
    """A program that lets everything through."""
    library = seccomp._library()
    return seccomp._compiled(library.SyscallFilter(library.ALLOW))


@contextmanager
def seccomp_list(_: Path) -> Iterator[None]:
    """The children's own program lets everything through."""
    with patch.object(seccomp, "allow_program", _everything):
        yield


@contextmanager
def warm_list(_: Path) -> Iterator[None]:
    """The program of the warm process lets everything through."""
    with patch.object(seccomp, "warm_program", _everything):
        yield


@contextmanager
def limits(_: Path) -> Iterator[None]:
    """As high as they can be."""
    honest = start._boot

    def boot(*asked: Any, **more: Any) -> Boot:
        made = honest(*asked, **more)
        wide = {name: resource.getrlimit(getattr(resource, name))[1] for name in made.resource_limits}
        return msgspec.structs.replace(made, resource_limits=wide, group_bytes=None)

    with patch.object(start, "_boot", boot):
        yield


@contextmanager
def group(_: Path) -> Iterator[None]:
    """A group that bounds nothing."""
    honest = cgroup.create

    def create(**asked: int) -> Cgroup | None:
        return honest(**asked | {"memory_bytes": NO_LIMIT, "processes": 1_000})

    with patch.object(cgroup, "create", create):
        yield


Off = Callable[[Path], Any]
