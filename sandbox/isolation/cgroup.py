"""A control group for one jail, version 1 or 2, where this process may make one: memory, processes, processor."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import time
from pathlib import Path

from msgspec import Struct

_numbers = itertools.count()
_PREFIX = "sandulieu-jail-"


class Cgroup(Struct, frozen=True):
    """Folders of one group: one for version 2, one per controller for version 1."""

    memory: Path
    others: tuple[Path, ...]
    version: int

    @property
    def tasks(self) -> tuple[str, ...]:
        """Files a process writes "0" into to join."""
        return tuple(str(folder / "cgroup.procs") for folder in (self.memory, *self.others))

    def limit_memory(self, limit_bytes: int) -> None:
        """Bound the group's memory, swap included where the kernel counts it."""
        if self.version == 2:
            (self.memory / "memory.max").write_text(str(limit_bytes))
            with contextlib.suppress(OSError):
                (self.memory / "memory.swap.max").write_text("0")
        else:
            (self.memory / "memory.limit_in_bytes").write_text(str(limit_bytes))
            # Never swapped: what is held above the limit is then held nowhere.
            with contextlib.suppress(OSError):
                (self.memory / "memory.swappiness").write_text("0")

    def out_of_memory_kills(self) -> int:
        """How many processes the kernel killed in it for want of memory (version 1's failcnt does not tell)."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        words = (self.memory / name).read_text().split()
        return int(words[words.index("oom_kill") + 1])

    def remove(self) -> None:
        """Remove the group; its processes must be gone, which the kernel may notice a moment later."""
        for folder in (self.memory, *self.others):
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.01)


def create(*, memory_bytes: int, processes: int, threads: int) -> Cgroup | None:
    """Make a group below this process's own; None where that is not allowed."""
    _sweep()
    name = f"{_PREFIX}{os.getpid()}-{next(_numbers)}"
    try:
        return _version_1(name, memory_bytes, processes, threads) or _version_2(
            name, memory_bytes, processes, threads
        )
    except OSError:
        return None


@functools.cache
def _sweep() -> None:
    """Remove, once, what processes left that were killed; the kernel keeps a group in which anything lives."""
    for own in set(_own_folders().values()):
        for folder in own.glob(f"{_PREFIX}*"):
            if not Path(f"/proc/{folder.name.split('-')[2]}").exists():
                with contextlib.suppress(OSError):
                    folder.rmdir()


def _version_1(name: str, memory_bytes: int, processes: int, threads: int) -> Cgroup | None:
    own = _own_folders()
    if "memory" not in own or "pids" not in own:
        return None
    group = Cgroup(own["memory"] / name, tuple(own[c] / name for c in ("pids", "cpu") if c in own), 1)
    for folder in (group.memory, *group.others):
        folder.mkdir()
    group.limit_memory(memory_bytes)
    (own["pids"] / name / "pids.max").write_text(str(processes))
    if "cpu" in own:
        (own["cpu"] / name / "cpu.cfs_quota_us").write_text(str(threads * 100_000))
    return group


def _version_2(name: str, memory_bytes: int, processes: int, threads: int) -> Cgroup | None:
    own = _own_folders().get("")
    if own is None:
        return None
    with contextlib.suppress(OSError):
        (own / "cgroup.subtree_control").write_text("+memory +pids +cpu")
    group = Cgroup(own / name, (), 2)
    group.memory.mkdir()
    try:
        group.limit_memory(memory_bytes)
        (group.memory / "pids.max").write_text(str(processes))
        (group.memory / "cpu.max").write_text(f"{threads * 100_000} 100000")
        (group.memory / "cgroup.procs").read_text()
    except OSError:
        group.remove()
        return None
    return group


def _own_folders() -> dict[str, Path]:
    """Controller (empty for version 2) → this process's folder, where it is mounted and writable."""
    mounts: dict[str, Path] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        fields, _, rest = line.partition(" - ")
        kind, _, options = rest.split(" ", 2)
        root, mount_point = fields.split()[3:5]
        if kind == "cgroup2" and root == "/":
            mounts[""] = Path(mount_point)
        elif kind == "cgroup" and root == "/":
            mounts |= dict.fromkeys(options.split(" ")[-1].split(","), Path(mount_point))
    own = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            folder = mounts.get(controller, Path("/nonexistent")) / path.lstrip("/")
            if os.access(folder, os.W_OK):
                own[controller] = folder
    return own
