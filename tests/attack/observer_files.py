"""What an observer sees of a version: its files, a number a record, and the tables that differ between two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from catalog.cohorts import Ints

PURPOSES = (1, 2)
"""As bits: research.academic, product.rnd."""
Cell = tuple[tuple[int, int], ...]
"""(column, code of the value), of each column of a table."""
ROW_ROOM = (8, 8, 4, 8, 4)
"""Room for place, age, sex, illness + 1, purposes of a row; so that it is one number."""
RECORD_ROOM = (8, 8, 4, 256, 256, 4_096, 65_536, 4)
"""Room for place, age, sex, n, count + 1, sum + 1, sum of squares + 1 (0 where withheld), purposes of a cohort."""


@dataclass(frozen=True, slots=True)
class Files:
    """What the files of a version hold, a number a record, ascending: of persons (rows mode), of cohorts
    (aggregate mode)."""

    rows: Ints
    records: Ints

    def seen(self, purpose: int) -> tuple[Ints, Ints]:
        """Of it what the files of one purpose hold."""
        rows, records = (every[(every & purpose) != 0] >> 2 for every in (self.rows, self.records))
        return rows, records


def stands(rows: Ints) -> list[Ints]:
    """Place, age, sex and illness as shown (−1: none) of records of persons."""
    place, age, sex, illness, _ = np.unravel_index(rows, ROW_ROOM)
    return [place, age, sex, illness - 1]


def tables_that_differ(before: tuple[Ints, Ints], after: tuple[Ints, Ints]) -> Iterator[dict[Cell, Ints]]:
    """Of all one- to three-way tables over what one purpose sees, the cells that are not as they were: by how many
    rows, or by n, count, sum and sum of squares."""
    rows, by = _moved(before[0], after[0], ROW_ROOM[:-1])
    rows[:, 3] -= 1
    yield from _tables(rows, by[:, np.newaxis], 4)
    records, by = _moved(before[1], after[1], RECORD_ROOM[:-1])
    sums = np.concatenate([records[:, 3:4], np.maximum(records[:, 4:] - 1, 0)], axis=1)
    yield from _tables(records[:, :3], by[:, np.newaxis] * sums, 3)


def _moved(before: Ints, after: Ints, room: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Records that occur more or less often than before, and by how much."""
    found, where = np.unique(np.concatenate([before, after]), return_inverse=True)
    by = np.bincount(where, np.repeat([-1.0, 1.0], [len(before), len(after)]), len(found))
    return np.stack(np.unravel_index(found[by != 0], room), axis=1), by[by != 0]


def _tables(groups: Ints, amounts: Ints, ways: int) -> Iterator[dict[Cell, Ints]]:
    for columns in (c for size in (1, 2, 3) for c in combinations(range(ways), size)):
        cells: dict[Cell, Ints] = {}
        for group, amount in zip(groups, amounts, strict=True):
            cell = tuple((c, int(group[c])) for c in columns)
            cells[cell] = cells.get(cell, 0) + amount
        different = {cell: amount for cell, amount in cells.items() if amount.any()}
        if different:
            yield different
