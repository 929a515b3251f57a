"""How fine a column can be beside another: two columns by themselves may leave too many persons out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from catalog.anonymise.lattice import Classes, floor_of
from catalog.cohorts import Ints

_DIRECT = 20_000_000


class PairFloors:
    """`of`: the finest level at which a column can stand, for the levels of columns that are fixed."""

    def __init__(self, classes: Classes, late: Callable[[], bool]) -> None:
        self.classes = classes
        self.tops = [len(ladder) - 1 for ladder in classes.finest.ladders]
        self.alone = [self._alone(c) for c in range(len(self.tops))]
        self.floors: dict[tuple[int, int], list[int]] = {}
        for a in range(len(self.tops)):
            for b in range(a):
                if late():
                    return
                self._pair(a, b)

    def of(self, column: int, levels: Sequence[int], fixed: Sequence[int]) -> int:
        """A necessary condition: such a level may still leave out too many."""
        known = (self.floors[other, column][levels[other]] for other in fixed if (other, column) in self.floors)
        return max(known, default=self.alone[column])

    def _alone(self, column: int) -> int:
        finest = self.classes.finest
        ladder = finest.ladders[column]
        counts = np.bincount(finest.codes[column], finest.weight, len(ladder.groups[0]))
        return floor_of(ladder, counts, self.classes.k, self.classes.lost)

    def _pair(self, a: int, b: int) -> None:
        finest = self.classes.finest
        sizes = [len(finest.ladders[c].groups[0]) for c in (a, b)]
        if sizes[0] * sizes[1] > _DIRECT:
            return
        key = finest.codes[a].astype(np.int32) * sizes[1]
        key += finest.codes[b]
        counts = np.bincount(key, finest.weight, sizes[0] * sizes[1])
        held = np.flatnonzero(counts)
        first, second, counts = held // sizes[1], held % sizes[1], counts[held]
        self.floors[a, b] = self._stairs((a, first), (b, second), counts)
        self.floors[b, a] = self._stairs((b, second), (a, first), counts)

    def _stairs(self, given: tuple[int, Ints], asked: tuple[int, Ints], counts: Ints) -> list[int]:
        """For each level of the one the finest of the other: the coarser the one, the finer the other can be."""
        floors, level = [], self.tops[asked[0]]
        for each in range(self.tops[given[0]] + 1):
            while level > 0 and self._holds((*given, each), (*asked, level - 1), counts):
                level -= 1
            floors.append(level)
        return floors

    def _holds(self, a: tuple[int, Ints, int], b: tuple[int, Ints, int], counts: Ints) -> bool:
        ladders = self.classes.finest.ladders
        size = ladders[b[0]].sizes[b[2]]
        key = ladders[a[0]].groups[a[2]][a[1]].astype(np.int64) * size + ladders[b[0]].groups[b[2]][b[1]]
        sums = np.bincount(key, counts, ladders[a[0]].sizes[a[2]] * size)
        return float(sums[sums < self.classes.k].sum()) <= self.classes.lost
