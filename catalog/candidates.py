"""What an observer who intersects is left with: of each atom the values that anybody in it could have.

Who is known to have moved, or to have come when she did, stands in several cohorts one after another; whoever
knows that keeps the values that all of them show. So an atom (`catalog.lineage`) has *candidates*: what every
cohort showed in which it stood, and in which any person of it stood before as something else (m-invariance: Xiao
& Tao, SIGMOD 2007, asking less: not the same values each time, but ℓ in common). They only ever become fewer, so
the last tell all.

Candidates are one ascending array of uint64: (owner × columns + column) << 32 | value. They are never more than
the values of the persons themselves, so memory grows with the register and not with the number of its versions.
Arrays only, no input or output: the second jail keeps the rule, and the broker checks it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.cohorts import Ints, value_pairs
from catalog.past import Past


def handed(core: Ints, owner: Ints, source: Ints, columns: int) -> Ints:
    """What each source has, said of its owner; not ascending, once for each of an owner's sources."""
    width = np.uint64(columns << 32)
    begin, end = (np.searchsorted(core, (source.astype(np.uint64) + np.uint64(i)) * width) for i in (0, 1))
    length = end - begin
    at = np.repeat(begin - (np.cumsum(length) - length), length) + np.arange(length.sum())
    moved: Ints = core[at] % width + np.repeat(owner.astype(np.uint64), length) * width
    return moved


def narrowed(held: Ints, owner: Ints, source: Ints, core: Ints, columns: int) -> Ints:
    """Of the pairs held those that every source of their owner has too."""
    links = np.unique(owner.astype(np.int64) << 32 | source.astype(np.int64))
    if not len(links) or not columns:
        return held
    owner, source = links >> 32, links & 0xFFFFFFFF
    said, times = np.unique(handed(core, owner, source, columns), return_counts=True)
    sources = np.bincount(owner)
    all_say = said[times == sources[(said >> np.uint64(32)).astype(np.int64) // columns]]
    of = (held >> np.uint64(32)).astype(np.int64) // columns
    alone = np.ones(len(held), dtype=bool)
    known = of < len(sources)
    alone[known] = sources[of[known]] == 0
    kept: Ints = held[alone | np.isin(held, all_say, assume_unique=True)]
    return kept


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


def former(past: Past, lives: Ints, *, followed: bool) -> Former:
    """`lives`: of each datum the row that it is still. Where rows name nobody, nobody is known to have moved."""
    dead = np.flatnonzero((past.row >= 0) & (lives != past.row)) if followed else np.empty(0, dtype=np.int64)
    by = dead[np.argsort(past.row[dead], kind="stable")]
    return Former(past.row[by].astype(np.int64), past.atom[by].astype(np.int64))


def left_to_movers(held: Ints, cohort: Ints, row: Ints, before: Former, core: Ints, columns: int) -> Ints:
    """Of each of these rows, who stand in these cohorts with these values, how many candidates there are at
    least."""
    each = np.arange(len(row))
    mine = narrowed(np.sort(handed(held, each, cohort, columns)), *before.of(each, row), core, columns)
    return fewest(mine, len(row), columns)


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
