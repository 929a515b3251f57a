"""PostgreSQL from a wheel, in home/postgres, on a unix socket only; shared by all our processes of one home.

Whoever comes first starts it, whoever leaves last stops it. Who is there is known by a shared file lock, which
the kernel lets go however a process ends, so a killed service leaves nothing to clean up.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from marketplace.db import server
from marketplace.db.roles import DATABASE, SERVICE

_present: dict[tuple[Path, int], IO[bytes]] = {}
"""(home, process) → the open lock that says so; a forked child is not its parent."""


def start(home: Path) -> str:
    """URL of the service's role, with the server made, started and joined as needed. Raises server.StartFailed."""
    home = home.resolve()
    folder = home / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    account = server.system_account(folder)
    with _alone(folder):
        if not (folder / "data" / "PG_VERSION").exists():
            server.initialise(folder, account)
        if not server.answers(folder):
            server.launch(folder, account)
        server.make_database(folder)
        if (home, os.getpid()) not in _present:
            _present[home, os.getpid()] = _join(folder)
    return url(home, SERVICE)


def stop(home: Path) -> bool:
    """Leave; True if this was the last process and the server was stopped. Safe to call twice."""
    home = home.resolve()
    lock = _present.pop((home, os.getpid()), None)
    if lock is None:
        return False
    folder = home / "postgres"
    with lock, _alone(folder):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return server.shut_down(folder)


def url(home: Path, role: str) -> str:
    """postgresql:// URL of a role on this home's socket."""
    return f"postgresql://{role}@/{DATABASE}?host={server.socket_folder(home.resolve() / 'postgres')}"


@atexit.register
def _leave_all() -> None:
    for home, _ in list(_present):
        stop(home)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "start.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _join(folder: Path) -> IO[bytes]:
    lock = (folder / "present.lock").open("wb")
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock
