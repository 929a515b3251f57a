"""How many persons a value, or a pair of values, singles out: exact up to a million distinct ones, then estimated.

Each value is hashed to 64 bits. All hashes are kept until there are too many; then only those in half of the
space, a quarter, and so on: of the values kept the count stays exact, and doubled as often as the space was
halved it is an unbiased estimate (distinct sampling: Gibbons, VLDB 2001). Two values with one hash would hide
each other, never accuse anybody.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from pyarrow import compute

from catalog.cohorts import Ints

MOST: Final = 1_000_000
"""Distinct values kept of a column or pair: 24 MB."""
_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX: Final = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def mixed(numbers: Ints) -> Ints:
    """Splitmix64 of each uint64."""
    x = numbers.astype(np.uint64) + _GOLDEN
    x = (x ^ (x >> np.uint64(30))) * _MIX[0]
    x = (x ^ (x >> np.uint64(27))) * _MIX[1]
    result: Ints = x ^ (x >> np.uint64(31))
    return result


def hashed(texts: pa.Array) -> Ints:
    """A hash of each text of an array of strings without blanks; two that differ have the same one once in 2⁶⁴."""
    lengths = compute.binary_length(texts).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    if not lengths.sum():
        return mixed(lengths)
    whole = pa.concat_arrays([texts])
    offsets = np.frombuffer(whole.buffers()[1], dtype=np.int32)[whole.offset : whole.offset + len(whole) + 1]
    body = np.frombuffer(whole.buffers()[2], dtype=np.uint8)[offsets[0] : offsets[-1]].astype(np.uint64)
    begins = (offsets[:-1] - offsets[0]).astype(np.int64)
    place = np.arange(len(body), dtype=np.uint64) - np.repeat(begins, lengths).astype(np.uint64)
    signs = mixed(body + (place << np.uint64(8)))
    sums = np.zeros(len(lengths), dtype=np.uint64)
    filled = lengths > 0
    sums[filled] = np.add.reduceat(signs, begins[filled])
    return mixed(sums ^ lengths.astype(np.uint64))


class Singles:
    """Counts persons alone with their value. Rows come in batches, persons by a hash of their key."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.shift = 0
        self.persons_seen = 0
        self.values: Ints = np.zeros(0, dtype=np.uint64)
        self.person: Ints = np.zeros(0, dtype=np.uint64)
        self.many: Ints = np.zeros(0, dtype=bool)

    def take(self, values: Ints, persons: Ints) -> None:
        """Hashes of the values and of the persons who have them, row by row."""
        if self.shift:
            keep = values >> np.uint64(64 - self.shift) == 0
            values, persons = values[keep], persons[keep]
        values = np.concatenate([self.values, values])
        persons = np.concatenate([self.person, persons])
        many = np.concatenate([self.many, np.zeros(len(values) - len(self.values), dtype=bool)])
        order = np.argsort(values, kind="stable")
        values, persons, many = values[order], persons[order], many[order]
        first = np.concatenate([[True], values[1:] != values[:-1]]) if len(values) else np.zeros(0, dtype=bool)
        begins = np.flatnonzero(first)
        if not len(begins):
            return
        other = persons != np.repeat(persons[begins], np.diff(np.append(begins, len(values))))
        self.many = np.logical_or.reduceat(many | other, begins)
        self.values, self.person = values[begins], persons[begins]
        self._thin()

    def _thin(self) -> None:
        while len(self.values) > self.most:
            self.shift += 1
            keep = self.values >> np.uint64(64 - self.shift) == 0
            self.values, self.person, self.many = self.values[keep], self.person[keep], self.many[keep]

    @property
    def exact(self) -> bool:
        return self.shift == 0

    def alone(self) -> float:
        """How many values one person has alone: those of persons with several values count several times."""
        return float(np.count_nonzero(~self.many)) * 2.0**self.shift
