"""Pseudonym → cohort: sorted on disk, found by bisection in a memory map."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

import numpy as np

from catalog.cohorts import Ints

PSEUDONYM_BYTES = 16
_COHORT = struct.Struct("<i")


class Subjects:
    """A subjects.bin: n pseudonyms of 16 bytes, ascending, then n cohorts (int32, little-endian) in that order."""

    def __init__(self, path: Path) -> None:
        size = path.stat().st_size
        self.count = size // (PSEUDONYM_BYTES + _COHORT.size)
        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else None

    def find(self, pseudonym: bytes) -> int | None:
        """The cohort of a person, None for somebody who is not in."""
        if self._map is None:
            return None
        low, high = 0, self.count
        while low < high:
            middle = (low + high) // 2
            if self._map[middle * PSEUDONYM_BYTES : (middle + 1) * PSEUDONYM_BYTES] < pseudonym:
                low = middle + 1
            else:
                high = middle
        if low == self.count or self._map[low * PSEUDONYM_BYTES : (low + 1) * PSEUDONYM_BYTES] != pseudonym:
            return None
        return int(_COHORT.unpack_from(self._map, self.count * PSEUDONYM_BYTES + low * _COHORT.size)[0])

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
    """Order that sorts n × 16 bytes as byte strings."""
    high, low = _halves(pseudonyms)
    result: Ints = np.lexsort((low, high))
    return result


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


def _halves(names: Ints) -> tuple[Ints, Ints]:
    halves = np.ascontiguousarray(names).view(">u8").astype(np.uint64).reshape(-1, 2)
    return halves[:, 0].copy(), halves[:, 1].copy()
