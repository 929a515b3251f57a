"""Classes counted once at the finest level; every scheme is then formed of these classes, never of the rows.

A state is a scheme's classes that hold so far. A finer column only splits classes, so what fell below k or ℓ has
fallen for good and is put aside: there are never more than persons ÷ k classes alive, and they are counted by
direct address. (Monotonicity as in Incognito, LeFevre et al. 2005, walked from the coarse end.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.anonymise.ladders import Ladder
from catalog.cohorts import MISSING, Codes, Ints, class_keys, distinct_values

_DIRECT = 100_000_000


@dataclass(frozen=True, slots=True)
class Finest:
    """Persons alike in everything, sensitive values too: `weight` of them in each row.

    `codes` of each column of the lattice, `fixed` for what no level changes (consent), `sensitive` (MISSING:
    none). `total`: persons.
    """

    ladders: list[Ladder]
    codes: list[Ints]
    fixed: Ints
    sensitive: list[Codes]
    weight: Ints | None
    total: int

    def __len__(self) -> int:
        return len(self.fixed)

    def weighed(self, rows: Ints | None) -> Ints:
        """How many persons stand in each of `rows`."""
        if self.weight is None:
            return np.ones(len(self) if rows is None else len(rows), dtype=np.int64)
        return self.weight if rows is None else self.weight[rows]


def count_finest(
    ladders: list[Ladder], codes: list[Ints], fixed: Ints, sensitive: list[Codes], *, k: int, lost: float,
    pinned: frozenset[int],
) -> Finest:  # fmt: skip
    """Cut off the levels at which a column by itself leaves out more than `lost` persons; count what remains.

    `pinned`: columns of which every level is kept.
    """
    rows = len(fixed)
    cut, narrow = [], []
    for number, (ladder, each) in enumerate(zip(ladders, codes, strict=True)):
        counts = np.bincount(each, minlength=len(ladder.groups[0]))
        floor = 0 if number in pinned else floor_of(ladder, counts, k, lost)
        held, place = _alike(ladder, floor, counts)
        cut.append(ladder.of(floor, held))
        narrow.append(place[each].astype(np.min_scalar_type(len(held))))
    columns = [Codes(c.astype(np.int64), int(c.max(initial=0)) + 1) for c in narrow]
    columns.append(Codes(fixed.astype(np.int64), int(fixed.max(initial=0)) + 1))
    columns += [Codes(s.codes.astype(np.int64) + 1, s.size + 1) for s in sensitive]
    _, first, weight = np.unique(class_keys(columns, rows), return_index=True, return_counts=True)
    if len(first) == rows:
        return Finest(cut, narrow, fixed.astype(np.int64), sensitive, None, rows)
    return Finest(
        cut, [c[first] for c in narrow], fixed[first].astype(np.int64),
        [Codes(s.codes[first], s.size) for s in sensitive], weight, rows,
    )  # fmt: skip


def floor_of(ladder: Ladder, counts: Ints, k: int, lost: float) -> int:
    """The finest level at which the column by itself leaves out no more than `lost` of those counted a value."""
    for level, (group, size) in enumerate(zip(ladder.groups, ladder.sizes, strict=True)):
        held = np.bincount(group, counts, size)
        if held[held < k].sum() <= lost:
            return level
    return len(ladder) - 1


def _alike(ladder: Ladder, floor: int, counts: Ints) -> tuple[Ints, Ints]:
    """One value of each group at the floor level, and of each value the place of its group among them."""
    used = np.flatnonzero(counts)
    _, first, group = np.unique(ladder.groups[floor][used], return_index=True, return_inverse=True)
    place = np.zeros(len(counts), dtype=np.int32)
    place[used] = group
    return used[first], place


@dataclass(frozen=True, slots=True)
class State:
    """A scheme of one level. `rows` of Finest that stand in some class (None: all), `ids` of their classes;
    `dead`: rows put aside; `lost`: persons in them."""

    levels: tuple[int, ...]
    rows: Ints | None
    ids: Ints
    classes: int
    dead: tuple[Ints, ...]
    lost: int


class Classes:
    """Forms states. `lost`: how many persons may be left out."""

    def __init__(self, finest: Finest, *, k: int, l: int, lost: float) -> None:
        self.finest, self.k, self.l, self.lost = finest, k, l, lost
        self.formed = 0

    def top(self) -> State | None:
        """Every column at its coarsest level; None where even that leaves out too many."""
        levels = tuple(len(ladder) - 1 for ladder in self.finest.ladders)
        ids = self.finest.fixed
        for place, ladder in enumerate(self.finest.ladders):
            if ladder.sizes[-1] > 1:
                ids = ids * ladder.sizes[-1] + ladder.groups[-1][self.finest.codes[place]]
        ids = np.unique(ids, return_inverse=True)[1]
        start = State(levels, None, ids, int(ids.max(initial=-1)) + 1, (), 0)
        return self._settled(start, ids, start.classes, levels, self.lost)

    def finer(self, state: State, column: int, level: int, *, lost: float | None = None) -> State | None:
        """`state` with one column at a finer level; None where more than `lost` persons are then left out."""
        ladder, codes = self.finest.ladders[column], self.finest.codes[column]
        held = codes if state.rows is None else codes[state.rows]
        size = ladder.sizes[level]
        key = state.ids * size
        key += ladder.groups[level][held]
        room = state.classes * size
        if room > _DIRECT:
            values, key = np.unique(key, return_inverse=True)
            room = len(values)
        levels = (*state.levels[:column], level, *state.levels[column + 1 :])
        return self._settled(state, key, room, levels, self.lost if lost is None else lost)

    def at(self, levels: tuple[int, ...], start: State) -> State | None:
        """The scheme of these levels, none of them coarser than in `start`."""
        state: State | None = start
        for column, level in enumerate(levels):
            if state is not None and state.levels[column] != level:
                state = self.finer(state, column, level)
        return state

    def _settled(self, state: State, key: Ints, room: int, levels: tuple[int, ...], lost: float) -> State | None:
        self.formed += 1
        rows, left, dead = state.rows, state.lost, state.dead
        weight = None if self.finest.weight is None else self.finest.weighed(rows)
        counts = np.bincount(key, weight, room)
        alive = counts >= self.k
        gone = round(float(counts[~alive].sum()))
        if left + gone > lost:
            return None
        rows, key, fallen = _without(rows, key, alive, gone)
        dead, left, room = (*dead, *fallen), left + gone, int(alive.sum())
        for column in self.finest.sensitive:
            values = column.codes if rows is None else column.codes[rows]
            alive = distinct_values(key, values, room, column.size) >= self.l
            if alive.all():
                continue
            gone = int(self.finest.weighed(rows)[~alive[key]].sum())
            if left + gone > lost:
                return None
            rows, key, fallen = _without(rows, key, alive, gone)
            dead, left, room = (*dead, *fallen), left + gone, int(alive.sum())
        return State(levels, rows, key, room, dead, left)


def _without(rows: Ints | None, key: Ints, alive: Ints, gone: int) -> tuple[Ints | None, Ints, tuple[Ints, ...]]:
    """The rows in classes that are alive, the classes numbered anew, and those put aside."""
    number = np.cumsum(alive, dtype=np.int64) - 1
    if not gone:
        return rows, number[key], ()
    stays = alive[key]
    out = np.flatnonzero(~stays)
    inside = np.flatnonzero(stays)
    return (
        inside.astype(np.int32) if rows is None else rows[inside],
        number[key[inside]],
        ((out if rows is None else rows[out]).astype(np.int32),),
    )


def spread(ids: Ints, classes: int, column: Codes, rows: Ints | None, weight: Ints) -> tuple[int, float]:
    """Distinct ℓ and t of the worst class, as `catalog.jailed.measure` measures those of cohorts."""
    values = column.codes if rows is None else column.codes[rows]
    known = values != MISSING
    key = ids[known] * column.size + values[known]
    if classes * column.size > _DIRECT:
        pairs, inverse = np.unique(key, return_inverse=True)
        counts = np.bincount(inverse, weight[known], len(pairs))
    else:
        every = np.bincount(key, weight[known], classes * column.size)
        pairs = np.flatnonzero(every)
        counts = every[pairs]
    owner, value = pairs // column.size, pairs % column.size
    distinct = np.bincount(owner, minlength=classes)
    total = np.bincount(owner, counts, classes)
    share = counts / np.maximum(total, 1)[owner]
    overall = np.bincount(value, counts, column.size) / max(counts.sum(), 1)
    apart = np.bincount(owner, np.abs(share - overall[value]) - overall[value], classes)
    distance = np.where(total > 0, (apart + 1) / 2, 1.0)
    return int(distinct.min(initial=column.size)), float(distance.max(initial=0.0))
