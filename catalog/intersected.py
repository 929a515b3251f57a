"""The candidates of a version's cohorts, from what the jail says became of each person: to check, and for the
book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.candidates import Pools, former, left_to_movers, narrowed, pools, renumbered, stayed
from catalog.cohorts import Ints, value_pairs
from catalog.making import Made
from catalog.past import DISSOLVED, Past


@dataclass(frozen=True, slots=True)
class Intersected:
    """`purposes`: of each cohort of the version. `pools` of the returned ones, which are `into`; `least`: fewest
    candidates of each person who stands in a new one and was something else before. `core`: of past atoms by now;
    `held`: of new cohorts."""

    purposes: Ints
    pools: Pools
    into: Ints
    least: Ints
    core: Ints
    held: Ints
    past_atoms: int

    def book(self, split: Ints, fresh: Ints, columns: int) -> Ints:
        """Of all atoms of the book after the past's: `split`: (atom << 32 | cohort) of those that came of one,
        ascending; then one of each cohort that is `fresh`, ascending."""
        found, atoms = self.pools, self.past_atoms
        pairs = found.atom << 32 | np.append(self.into, 0)[found.to]
        number = np.where(found.to >= 0, atoms + np.searchsorted(split, pairs), -1)
        place = np.full(len(self.purposes), -1, dtype=np.int64)
        place[fresh] = atoms + len(split) + np.arange(len(fresh))
        return np.sort(np.concatenate([
            self.core, renumbered(found.core, number, columns), renumbered(self.held, place, columns)
        ]))  # fmt: skip


def intersected(made: Made, past: Past, *, narrow: bool) -> Intersected:
    """`past` with rows of the new file; `narrow`: whether files show sensitive values, so that one can
    intersect."""
    columns = past.values.shape[1]
    masks = np.array([part.mask for part in made.parts], dtype=np.int32)[made.ranges[:, 0]]
    before = former(past, made.lives, made.values, followed=made.kinds is None)
    data = np.flatnonzero(made.fate[past.cohort] == DISSOLVED)
    row = made.lives[data]
    stands = np.where(row >= 0, made.cohort[np.maximum(row, 0)], -1).astype(np.int64)
    into = np.unique(stands[stands >= 0])
    to = np.where(stands >= 0, np.searchsorted(into, stands), -1)
    part = np.zeros(len(past.classes), dtype=np.int64)
    batch = exchanging(past.cohort[data], to, len(into), len(past.classes))
    part[past.cohort[data[to >= 0]]] = batch[to[to >= 0]]
    found = pools(
        past, data, to, masks[into], part[past.cohort[data]], made.lives.astype(np.int64), before, narrow=narrow
    )
    core = stayed(past, data, found) if narrow else past.core
    known = np.zeros(len(made.cohort), dtype=bool)
    known[made.lives[made.lives >= 0]] = True
    rows = np.flatnonzero(~known & (made.cohort >= 0))
    cohort = made.cohort[rows].astype(np.int64)
    held, least = value_pairs(cohort, made.values[rows]), np.empty(0, dtype=np.int64)
    if narrow:
        moved = np.isin(rows, before.row)
        least = left_to_movers(held, cohort[moved], rows[moved], before, core, columns)
        held = narrowed(held, *before.of(cohort, rows), core, columns)
    return Intersected(masks, found, into, least, core, held, len(past.generation))


def exchanging(source: Ints, to: Ints, count: int, sources: int) -> Ints:
    """Of each of `count` returned cohorts the lowest number of those that it shares a source with, at whatever
    remove. `source`, `to` (−1: none): of each datum."""
    batch = np.arange(count)
    there = to >= 0
    while True:
        lowest = np.full(sources, count, dtype=np.int64)
        np.minimum.at(lowest, source[there], batch[to[there]])
        after = batch.copy()
        np.minimum.at(after, to[there], lowest[source[there]])
        if (after == batch).all():
            return batch
        batch = after
