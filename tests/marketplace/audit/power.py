"""A disk whose power fails at a chosen call: what was not synced is lost, kept, or half there."""

from __future__ import annotations

import itertools
import os
import random
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Literal

Survival = Literal["nothing", "everything", "some"]
"""Of what was not synced: POSIX promises none of it, and forbids none."""
FOLDER = -1


class PowerCut(Exception):
    """From here on nothing reaches the disk."""


class Disk:
    """The calls that a writer makes below `home`, on real files; beside them it keeps what a cut would leave.

    `cut_at`: the number of the call that is no longer made, counted from 0; a write is made by half.
    """

    def __init__(self, home: Path, *, cut_at: int | None = None) -> None:
        self.home = home
        self.calls = 0
        self._cut_at = cut_at
        self._numbers = itertools.count()
        self._names: dict[Path, int] = {}
        self._now: dict[int, bytes] = {}
        self._synced: dict[int, bytes] = {}
        self._entries: dict[Path, dict[str, int]] = defaultdict(dict)
        self._unsynced: dict[Path, list[dict[str, int | None]]] = defaultdict(list)
        self._handles: dict[int, Path] = {}

    def twin(self, home: Path, *, cut_at: int | None) -> Disk:
        """The same disk once more, from where it is now."""
        shutil.copytree(self.home, home)
        twin = Disk(home, cut_at=cut_at)
        twin._numbers = itertools.count(next(self._numbers))
        twin._names = {home / path.relative_to(self.home): number for path, number in self._names.items()}
        twin._now, twin._synced = dict(self._now), dict(self._synced)
        for path, entries in self._entries.items():
            twin._entries[home / path.relative_to(self.home)] = dict(entries)
        for path, changes in self._unsynced.items():
            twin._unsynced[home / path.relative_to(self.home)] = list(changes)
        return twin

    def survivor(self, home: Path, survival: Survival, seed: int = 0) -> Path:
        """What is on the disk when the power is back, put into a new folder."""
        self._lay(self.home, home, survival, random.Random(seed))
        return home

    def _lay(self, source: Path, target: Path, survival: Survival, chance: random.Random) -> None:
        target.mkdir()
        entries: dict[str, int | None] = dict(self._entries[source])
        for change in self._unsynced[source]:
            if survival == "everything" or (survival == "some" and chance.random() < 0.5):
                entries |= change
        for name, number in entries.items():
            if number == FOLDER:
                self._lay(source / name, target / name, survival, chance)
            elif number is not None:
                (target / name).write_bytes(self._content(number, survival, chance))

    def _content(self, number: int, survival: Survival, chance: random.Random) -> bytes:
        synced, now = self._synced.get(number, b""), self._now[number]
        if survival == "some" and synced != now:
            return now[: chance.randrange(len(now) + 1)]
        return now if survival == "everything" else synced

    def _call(self) -> None:
        if self._cut_at is not None and self.calls >= self._cut_at:
            raise PowerCut
        self.calls += 1

    def open(self, path: Path, flags: int, mode: int = 0o777, /) -> int:
        self._call()
        handle = os.open(path, flags, mode)
        self._handles[handle] = path
        if not flags & os.O_DIRECTORY:
            if path not in self._names:
                self._names[path] = next(self._numbers)
                self._unsynced[path.parent].append({path.name: self._names[path]})
            self._now[self._names[path]] = b""
        return handle

    def write(self, handle: int, data: bytes, /) -> int:
        number = self._names[self._handles[handle]]
        try:
            self._call()
        except PowerCut:
            self._now[number] += bytes(data)[: len(data) // 2]
            raise
        written = os.write(handle, data)
        self._now[number] += bytes(data)[:written]
        return written

    def fsync(self, handle: int, /) -> None:
        self._call()
        path = self._handles[handle]
        if path in self._names:
            self._synced[self._names[path]] = self._now[self._names[path]]
            return
        for change in self._unsynced.pop(path, []):
            for name, number in change.items():
                if number is None:
                    self._entries[path].pop(name, None)
                else:
                    self._entries[path][name] = number

    def close(self, handle: int, /) -> None:
        os.close(handle)
        del self._handles[handle]

    def rename(self, source: Path, target: Path, /) -> None:
        self._call()
        source.rename(target)
        number = self._names.pop(source)
        self._names[target] = number
        self._unsynced[target.parent].append({source.name: None, target.name: number})

    def mkdir(self, path: Path, mode: int = 0o777, /) -> None:
        self._call()
        path.mkdir(mode)
        self._unsynced[path.parent].append({path.name: FOLDER})
