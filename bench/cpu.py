"""The CPU that work took, ours and PostgreSQL's: a figure that other work on the machine hardly moves."""

from __future__ import annotations

import resource
from pathlib import Path

from msgspec import Struct

from marketplace.config import Config


class Spent(Struct, frozen=True):
    """Seconds since the processes began."""

    client_s: float
    server_s: float

    def __sub__(self, before: Spent) -> Spent:
        return Spent(self.client_s - before.client_s, self.server_s - before.server_s)

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.client_s + other.client_s, self.server_s + other.server_s)

    @property
    def both_s(self) -> float:
        return self.client_s + self.server_s


def spent(config: Config) -> Spent:
    """By this process, and by the embedded PostgreSQL with its children that are alive."""
    ours = resource.getrusage(resource.RUSAGE_SELF)
    lock = config.home.resolve() / "postgres" / "data" / "postmaster.pid"
    postmaster = lock.read_text().split()[0]
    server = sum(_cpu_s(each) for each in Path("/proc").iterdir() if _is_of(each, postmaster))
    return Spent(ours.ru_utime + ours.ru_stime, server)


def _is_of(process: Path, postmaster: str) -> bool:
    try:
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
    except (OSError, IndexError):
        return False
    return postmaster in (process.name, parent)


def _cpu_s(process: Path) -> float:
    try:
        return int((process / "schedstat").read_text().split()[0]) / 1e9
    except OSError:
        return 0.0
