"""What an observer sees of a version: its files, a number a record; and, which only we know, whose data they
hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.cohorts import Ints

PURPOSES = (1, 2)
"""As bits: research.academic, product.rnd."""
ROW_ROOM = (8, 8, 4, 8, 4)
"""Room for place, age, sex, illness + 1, purposes of a row; so that it is one number."""
RECORD_ROOM = (8, 8, 4, 256, 256, 4_096, 65_536, 4)
"""Room for place, age, sex, n, count + 1, sum + 1, sum of squares + 1 (0 where withheld), purposes of a cohort."""
DATUM_ROOM = (8_192, 16, int(np.prod(ROW_ROOM)))
"""Room for the person, visits + 1 (0: none), the row; so that what somebody is shown as is one number."""


@dataclass(frozen=True, slots=True)
class Files:
    """What the files of a version hold, a number a record, ascending: of persons (rows mode), of cohorts
    (aggregate mode). `data`: of persons, with their names."""

    rows: Ints
    records: Ints
    data: Ints

    def told(self) -> bytes:
        """All that an observer has."""
        return self.rows.tobytes() + b"/" + self.records.tobytes()


def stands(rows: Ints) -> list[Ints]:
    """Place, age, sex and illness as shown (−1: none) of records of persons."""
    place, age, sex, illness, _ = np.unravel_index(rows, ROW_ROOM)
    return [place, age, sex, illness - 1]


def fewest_moved(before: Files, after: Files) -> int | None:
    """Of any class as one purpose sees it: how many persons' data, at least, came or went; None where nobody's.

    Of whole persons, not the difference of two counts: where five came and four went, nine made the difference,
    and a table that says +1 tells of none of them. Tables over fewer columns are sums of these classes.
    """
    found: list[int] = []
    went = np.setdiff1d(before.data, after.data, assume_unique=True)
    came = np.setdiff1d(after.data, before.data, assume_unique=True)
    for purpose in PURPOSES:
        was, now = _for(purpose, went), _for(purpose, came)
        for one, other in ((was, now), (now, was)):
            row = np.unravel_index(np.setdiff1d(one, other), DATUM_ROOM)[2]
            if len(row):
                place, age, sex, _ = stands(row)
                classes = np.ravel_multi_index((place, age, sex), ROW_ROOM[:3])
                found.append(int(np.unique(classes, return_counts=True)[1].min()))
    return min(found, default=None)


def _for(purpose: int, data: Ints) -> Ints:
    """What is shown for one purpose, without telling for which others."""
    chosen = data[(data % ROW_ROOM[-1] & purpose) != 0]
    seen: Ints = chosen - chosen % ROW_ROOM[-1]
    return seen
