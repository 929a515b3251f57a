"""What an observer who intersects is left with: of each atom the values that anybody in it could have.

Who is known to have moved, or to have come when she did, stands in several cohorts one after another; whoever
knows that keeps the values that all of them show. So an atom (`catalog.lineage`) has *candidates*: what every
cohort showed in which it stood, and in which any person of it stood before as something else (m-invariance: Xiao
& Tao, SIGMOD 2007, asking less: not the same values each time, but ℓ in common). They only ever become fewer, so
the last tell all.

That is said of values that last. Who is something else because all her values are others gives nothing away by
having been what she was: each of her cohorts shows ℓ values by itself.

Candidates are one ascending array of uint64: (owner × columns + column) << 32 | value. They are never more than
the values of the persons themselves, so memory grows with the register and not with the number of its versions.
Arrays only, no input or output: the second jail keeps the rule, and the broker checks it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from catalog.cohorts import Ints, value_pairs
from catalog.past import Past

_MOST_PAIRS: Final = 4_000_000
"""Looked at together: what is held beside the sets themselves does not grow with them."""


def handed(core: Ints, owner: Ints, source: Ints, columns: int) -> Ints:
    """What each source has, said of its owner; not ascending, once for each of an owner's sources."""
    at, link = _places(*_extent(core, source, columns))
    return _said_of(owner[link], core[at], columns)


def narrowed(held: Ints, owner: Ints, source: Ints, core: Ints, columns: int) -> Ints:
    """Of the pairs held (ascending) those that every source of their owner has too (`core`, ascending)."""
    links = np.unique(owner.astype(np.int64) << 32 | source.astype(np.int64))
    if not len(links) or not len(held):
        return held
    owner, source = links >> 32, links & 0xFFFFFFFF
    mine, theirs = _extent(held, owner, columns), _extent(core, source, columns)
    said = np.zeros(len(held), dtype=np.int32)
    # The larger set of the two is only looked into: else one cohort of many values would be handed to many owners.
    few = mine[1] <= theirs[1]
    for part in _bounded(np.minimum(mine[1], theirs[1])):
        asking, telling = np.flatnonzero(few[part]) + part.start, np.flatnonzero(~few[part]) + part.start
        at, link = _places(mine[0][asking], mine[1][asking])
        found, _ = _found(core, _said_of(source[asking][link], held[at], columns))
        np.add.at(said, at[found], 1)
        at, link = _places(theirs[0][telling], theirs[1][telling])
        found, place = _found(held, _said_of(owner[telling][link], core[at], columns))
        np.add.at(said, place[found], 1)
    of = (held >> np.uint64(32)).astype(np.int64) // columns
    kept: Ints = held[said == np.bincount(owner, minlength=int(of[-1]) + 1)[of]]
    return kept


def _extent(core: Ints, source: Ints, columns: int) -> tuple[Ints, Ints]:
    """Where the pairs of each source begin, and how many they are."""
    width = np.uint64(columns << 32)
    begin, end = (np.searchsorted(core, (source.astype(np.uint64) + np.uint64(i)) * width) for i in (0, 1))
    return begin, end - begin


def _places(begin: Ints, length: Ints) -> tuple[Ints, Ints]:
    """Every place of these ranges, and in which range it is."""
    of = np.repeat(np.arange(len(length)), length)
    at: Ints = (begin - (np.cumsum(length) - length))[of] + np.arange(len(of))
    return at, of


def _said_of(owner: Ints, pairs: Ints, columns: int) -> Ints:
    width = np.uint64(columns << 32)
    said: Ints = pairs % width + owner.astype(np.uint64) * width
    return said


def _found(ascending: Ints, wanted: Ints) -> tuple[Ints, Ints]:
    """Which of the wanted are there, and where each is or would be."""
    if not len(ascending):
        return np.zeros(len(wanted), dtype=bool), np.zeros(len(wanted), dtype=np.int64)
    place = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return ascending[place] == wanted, place


def _bounded(lengths: Ints) -> Iterator[slice]:
    """Runs that are as long together as is held at once, or one that is longer alone."""
    ends, begin = np.cumsum(lengths), 0
    while begin < len(ends):
        before = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, before + _MOST_PAIRS, side="right")))
        yield slice(begin, end)
        begin = end


def fewest(held: Ints, owners: int, columns: int) -> Ints:
    """Of each owner how many candidates the column has that has fewest."""
    if not columns:
        return np.full(owners, np.iinfo(np.int64).max)
    counts = np.bincount((held >> np.uint64(32)).astype(np.int64), minlength=owners * columns)
    result: Ints = counts.reshape(owners, columns).min(axis=1)
    return result


@dataclass(frozen=True, slots=True)
class Former:
    """Of persons of the new file what they were and are no more: their row, ascending, and the atom of that
    datum."""

    row: Ints
    atom: Ints

    def of(self, owner: Ints, row: Ints) -> tuple[Ints, Ints]:
        """Owner and atom of each datum that these rows were before."""
        begin, end = (np.searchsorted(self.row, row, side=side) for side in ("left", "right"))
        length = end - begin
        at = np.repeat(begin - (np.cumsum(length) - length), length) + np.arange(length.sum())
        return np.repeat(owner, length), self.atom[at]


def former(past: Past, lives: Ints, values: Ints, *, followed: bool) -> Former:
    """`lives`: of each datum the row that it is still; `values`: of each row. Where rows name nobody, nobody is
    known to have moved.

    A datum none of whose values she still has is left out: its cohort and hers have nothing of her in common, and
    whoever intersects them learns that she changed. Else no register whose values change could be published twice.
    """
    dead = np.flatnonzero((past.row >= 0) & (lives != past.row)) if followed else np.empty(0, dtype=np.int64)
    if values.shape[1]:
        was, now = past.values[dead], values[past.row[dead]]
        dead = dead[((was == now) | (was == 0) | (now == 0)).any(axis=1)]
    by = dead[np.argsort(past.row[dead], kind="stable")]
    return Former(past.row[by].astype(np.int64), past.atom[by].astype(np.int64))


def left_to_movers(held: Ints, cohort: Ints, row: Ints, before: Former, core: Ints, columns: int) -> Ints:
    """Of each of these rows, who stand in these cohorts with these values and were something else before, how many
    candidates there are at least."""
    if not columns or not len(row):
        return np.full(len(row), np.iinfo(np.int64).max)
    one, number = _alike(cohort, row, before)
    cohort, row = cohort[one], row[one]
    each, atom = before.of(np.arange(len(row)), row)
    size = _extent(core, atom, columns)[1]
    atom, size = (a[np.lexsort((size, each))][np.searchsorted(each, np.arange(len(row)))] for a in (atom, size))
    stands = _extent(held, cohort, columns)[1]
    least = np.empty(len(row), dtype=np.int64)
    for part in _bounded(np.minimum(size, stands)):
        past, each = size[part] < stands[part], np.arange(part.stop - part.start)
        mine = np.sort(np.concatenate([
            handed(held, each[~past], cohort[part][~past], columns),
            handed(core, each[past], atom[part][past], columns),
        ]))  # fmt: skip
        mine = narrowed(mine, each, cohort[part], held, columns)
        mine = narrowed(mine, *before.of(each, row[part]), core, columns)
        least[part] = fewest(mine, len(each), columns)
    result: Ints = least[number]
    return result


def _alike(cohort: Ints, row: Ints, before: Former) -> tuple[Ints, Ints]:
    """One of those who stood in the same atoms and stand in the same cohort, and which of these each is."""
    each, atom = before.of(np.arange(len(row)), row)
    turn = np.arange(len(each)) - np.searchsorted(each, each)
    number = cohort.astype(np.int64)
    for again in range(int(turn.max()) + 1):
        at, now = each[turn == again], atom[turn == again].astype(np.int64)
        number[at] = number.max() + 1 + np.unique(number[at] << 32 | now, return_inverse=True)[1]
    _, one, of = np.unique(number, return_index=True, return_inverse=True)
    return one, of


@dataclass(frozen=True, slots=True)
class Pools:
    """What is left of those who are seen to go or to come together. `part`, `least`: of each pool and each piece
    of an atom, where it belongs and its fewest candidates. `atom`, `to`: of each piece (−1: went); `core`: its
    pairs."""

    part: Ints
    least: Ints
    atom: Ints
    to: Ints
    core: Ints


def pools(
    past: Past, data: Ints, to: Ints, masks: Ints, part: Ints, row: Ints, before: Former, *, narrow: bool
) -> Pools:
    """`data` of cohorts that are gone into others: `to` which (−1: none) of those with these `masks`, `part`:
    which of them could have exchanged persons, `row`: negative where it lives no more. `narrow`: whether values
    are seen.

    One purpose sees the difference of what it saw before and sees now, so whoever was seen for one set of purposes
    and is seen for another is a pool, beside all of a returned cohort.
    """
    columns, count = past.values.shape[1], len(masks)
    seen, kinds = np.unique(past.purposes[past.cohort[data]], return_inverse=True)
    inside, changed = np.flatnonzero(to >= 0), np.flatnonzero(seen[kinds] != np.append(masks, 0)[to])
    where = np.where(to >= 0, to, count + part)[changed].astype(np.int64) * len(seen) + kinds[changed]
    groups, group = np.unique(where, return_inverse=True)
    chosen, pool = np.concatenate([inside, changed]), np.concatenate([to[inside], count + group]).astype(np.int64)
    pieces, piece = np.unique(past.atom[data].astype(np.int64) << 32 | (to + 1), return_inverse=True)
    atom, into = pieces >> 32, (pieces & 0xFFFFFFFF) - 1
    shown = value_pairs(pool, past.values[data[chosen]])
    of = np.zeros(count + len(groups), dtype=np.int64)
    of[pool] = part[chosen]
    used = np.unique(pool)
    least = fewest(shown, len(of), columns)[used]
    if not narrow:
        return Pools(of[used], least, atom, into, np.zeros(0, dtype=np.uint64))
    core = np.sort(handed(past.core, np.arange(len(pieces)), atom, columns))
    core = narrowed(core, piece[chosen], pool, shown, columns)
    there = row[data] >= 0
    core = narrowed(core, *before.of(piece[there], row[data[there]]), past.core, columns)
    of_piece = np.zeros(len(pieces), dtype=np.int64)
    of_piece[piece] = part
    return Pools(
        np.concatenate([of[used], of_piece]), np.concatenate([least, fewest(core, len(pieces), columns)]),
        atom, into, core,
    )  # fmt: skip


def stayed(past: Past, data: Ints, found: Pools) -> Ints:
    """The candidates of the lineage's atoms, now that these data went or are of atoms of their own."""
    columns = past.values.shape[1]
    went = renumbered(found.core, np.where(found.to < 0, found.atom, -1), columns)
    dissolved = np.zeros(len(past.generation), dtype=bool)
    dissolved[past.atom[data]] = True
    of = (past.core >> np.uint64(32)).astype(np.int64) // max(columns, 1)
    return np.sort(np.concatenate([past.core[~dissolved[of]], went]))


def renumbered(core: Ints, number: Ints, columns: int) -> Ints:
    """Of the owners that have a number (≥ 0), by it."""
    of = (core >> np.uint64(32)).astype(np.int64) // max(columns, 1)
    kept = number[of] >= 0
    width = np.uint64(max(columns, 1) << 32)
    return np.sort(core[kept] % width + number[of[kept]].astype(np.uint64) * width)
