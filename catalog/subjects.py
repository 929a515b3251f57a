"""Pseudonym → cohort: sorted on disk, found by bisection in a memory map."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from catalog.cohorts import Ints

PSEUDONYM_BYTES = 16
_COHORT_BYTES = 4
_NAME = f"S{PSEUDONYM_BYTES}"
"""numpy orders these as bytes; the NULs at the end that it drops are dropped on both sides."""
_STRETCH = 1_000_000
"""Names sought at a time."""


class Subjects:
    """A subjects.bin: n pseudonyms of 16 bytes, ascending, then n cohorts (int32, little-endian) in that order."""

    def __init__(self, path: Path) -> None:
        size = path.stat().st_size
        self.count = size // (PSEUDONYM_BYTES + _COHORT_BYTES)
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else None

    def find(self, pseudonyms: Sequence[bytes]) -> Ints:
        """The cohort of each person, -1 for somebody who is not in."""
        asked = np.array(pseudonyms, dtype=_NAME)
        if self._map is None or not len(asked):
            return np.full(len(asked), -1, dtype=np.int32)
        names = np.frombuffer(self._map, dtype=_NAME, count=self.count)
        cohorts = np.frombuffer(self._map, dtype="<i4", offset=self.count * PSEUDONYM_BYTES)
        place = np.minimum(np.searchsorted(names, asked), self.count - 1)
        result: Ints = np.where(names[place] == asked, cohorts[place], -1)
        return result

    def all(self) -> tuple[Ints, Ints]:
        """Every pseudonym (n × 16 bytes, ascending) and its cohort."""
        if self._map is None:
            return np.empty((0, PSEUDONYM_BYTES), dtype=np.uint8), np.empty(0, dtype=np.int32)
        border = self.count * PSEUDONYM_BYTES
        names = np.frombuffer(self._map, dtype=np.uint8, count=border).reshape(-1, PSEUDONYM_BYTES)
        return names, np.frombuffer(self._map, dtype="<i4", offset=border)


def write_subjects(path: Path, pseudonyms: Ints, ascending: Ints, cohort: Ints) -> None:
    """Write those who stand in a cohort."""
    rows = ascending[cohort[ascending] >= 0]
    with path.open("xb") as file:
        path.chmod(0o600)
        file.write(pseudonyms[rows].tobytes())
        file.write(cohort[rows].astype("<i4").tobytes())


def sort_order(pseudonyms: Ints) -> Ints:
    """Order that sorts n × 16 bytes as byte strings; of equal ones the first stays first."""
    both = np.ascontiguousarray(pseudonyms).view(">u8").reshape(-1, 2)
    high = both[:, 0].astype(np.uint64)
    order: Ints = np.argsort(high)
    sorted_high = high[order]
    # Hashes: hardly any two share their first half, so the second is looked at only where they do.
    same = np.flatnonzero(sorted_high[1:] == sorted_high[:-1])
    if len(same):
        tied = np.union1d(same, same + 1)
        rows = np.sort(order[tied])
        order[tied] = rows[np.lexsort((both[rows, 1], high[rows]))]
    return order


def find_names(ascending: Ints, wanted: Ints) -> Ints:
    """Place of each wanted name (n × 16 bytes) among the ascending ones, −1 where it is not; the first, if
    several."""
    (high, low), (wanted_high, wanted_low) = _halves(ascending), _halves(wanted)
    place = np.searchsorted(high, wanted_high)
    found = np.full(len(place), -1, dtype=np.int64)
    left = np.arange(len(place))
    while len(left):
        left = left[place[left] < len(high)]
        left = left[high[place[left]] == wanted_high[left]]
        same = low[place[left]] == wanted_low[left]
        found[left[same]] = place[left[same]]
        left = left[~same]
        place[left] += 1
    return found


def find_ascending(ascending: Ints, wanted: Ints) -> Ints:
    """As `find_names`, where the wanted ones ascend too: a stretch of both at a time, however many there are."""
    names = np.ascontiguousarray(ascending).view(_NAME).ravel()
    asked = np.ascontiguousarray(wanted).view(_NAME).ravel()
    found = np.full(len(asked), -1, dtype=np.int64)
    for begin in range(0, len(asked), _STRETCH):
        end = min(begin + _STRETCH, len(asked))
        low = int(np.searchsorted(names, asked[begin], side="left"))
        high = int(np.searchsorted(names, asked[end - 1], side="right"))
        place = find_names(ascending[low:high], wanted[begin:end])
        found[begin:end] = np.where(place >= 0, place + low, -1)
    return found


def _halves(names: Ints) -> tuple[Ints, Ints]:
    halves = np.ascontiguousarray(names).view(">u8").reshape(-1, 2)
    return halves[:, 0].astype(np.uint64), halves[:, 1].astype(np.uint64)
