"""Run by a fresh interpreter for each jail: join the cgroup, leave root behind, become bwrap.

A file of its own because a process with threads must not run Python between fork and exec.
Started by root, everything is first bound below a private /tmp, so that the unprivileged user reaches it even
under a home that only root may enter, and so that the jail's user is nobody's on the outside.
"""

from __future__ import annotations

import ctypes
import json
import os
import stat
import sys

_MS_BIND, _MS_REC, _MS_PRIVATE, _CLONE_NEWNS = 4096, 16384, 1 << 18, 0x20000
_libc = ctypes.CDLL(None, use_errno=True)


def main(plan: dict[str, list[str]], uid: int) -> None:
    """`plan`: join (cgroup.procs files), bwrap (path and arguments), source/target (binds), command."""
    for tasks in plan["join"]:
        with open(tasks, "w") as file:  # noqa: PTH123 (pathlib costs import time)
            file.write("0")
    sources, bwrap = plan["source"], plan["bwrap"]
    if os.getuid() == 0:
        sources, bwrap = _stage(sources, bwrap)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    binds = [word for pair in zip(sources, plan["target"], strict=True) for word in ("--ro-bind", *pair)]
    os.execve(bwrap[0], [bwrap[0], *bwrap[1:], *binds, *plan["command"]], {})  # noqa: S606


def _stage(sources: list[str], bwrap: list[str]) -> tuple[list[str], list[str]]:
    root = _root(bwrap[0])
    paths = [*sources, *root]
    _check(_libc.unshare(_CLONE_NEWNS))
    _mount(None, "/", _MS_REC | _MS_PRIVATE)
    opened = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in paths]
    _check(_libc.mount(b"jail", b"/tmp", b"tmpfs", ctypes.c_ulong(0), b"mode=0755"))
    for i, descriptor in enumerate(opened):
        # By descriptor: the new /tmp hides a checkout that lies below the old one.
        folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        os.mkdir(f"/tmp/{i}") if folder else os.close(os.open(f"/tmp/{i}", os.O_CREAT, 0o644))  # noqa: S108, PTH102
        _mount(f"/proc/self/fd/{descriptor}", f"/tmp/{i}", _MS_BIND | _MS_REC)  # noqa: S108
    staged = [f"/tmp/{i}" for i in range(len(opened))]  # noqa: S108
    if not root:
        return staged, bwrap
    return staged[:-1], [staged[-1] + bwrap[0][len(root[0]) :], *bwrap[1:]]


def _root(bwrap: str) -> list[str]:
    """What has to be bound for it, three levels up: the bundled one finds its library relative to itself.

    Nothing for the system's in /usr/bin: it stays where it is, and anybody reaches it there.
    """
    root = os.path.dirname(os.path.dirname(os.path.dirname(bwrap)))  # noqa: PTH120
    return [] if root == "/" else [root]


def _mount(source: str | None, target: str, flags: int) -> None:
    name = None if source is None else source.encode()
    _check(_libc.mount(name, target.encode(), None, ctypes.c_ulong(flags), None))


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), int(sys.argv[2]))
