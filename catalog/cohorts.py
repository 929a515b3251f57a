"""Forming cohorts (invariant 3): persons of a class dealt into groups of k..2k−1, each with ℓ distinct values of
every sensitive column; larger groups where ℓ needs them. Arrays only, no input or output.

Dealing: within a class the persons are ordered by sensitive value, the most frequent first, and dealt round robin
to m cohorts. For one sensitive column that reaches ℓ in each whenever any way does: a value held by m persons or
more is in every cohort, and shorter runs, being next to each other, never put two of theirs in one cohort before
each has one. With several columns it is checked, and m made smaller until it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[Any]
MISSING = -1
"""Code of an empty sensitive cell: it counts as a person, not as a value."""


@dataclass(frozen=True, slots=True)
class Codes:
    """One column as integer codes 0 ≤ code < size (sensitive columns: MISSING too)."""

    codes: Ints
    size: int


def at_levels(levels: list[Ints], level: Ints) -> Ints:
    """Of each place what the array of its level holds (of the last one where there are fewer levels)."""
    found: Ints = levels[0].copy()
    for number, array in enumerate(levels[1:], 1):
        there = level >= number
        found[there] = array[there]
    return found


def class_keys(columns: list[Codes], rows: int) -> Ints:
    """One int64 a person; equal where all columns are, and ordered as the columns are."""
    key = np.zeros(rows, dtype=np.int64)
    room = 1
    for column in columns:
        if room * max(column.size, 1) >= 2**62:
            key, room = _dense(key)
        key *= max(column.size, 1)
        key += column.codes
        room *= max(column.size, 1)
    return key


def _dense(key: Ints) -> tuple[Ints, int]:
    values, dense = np.unique(key, return_inverse=True)
    return dense.astype(np.int64), len(values)


def form(keys: Ints, sensitive: list[Codes], *, k: int, l: int, rank: Ints) -> tuple[Ints, int]:
    """Cohort of each person, −1 where none can be, and the number of cohorts.

    `keys`: class of each person; `rank`: a random permutation, so that the order of the input tells nothing.
    """
    rows = len(keys)
    if rows == 0:
        return np.empty(0, dtype=np.int64), 0
    _, classes, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    del keys
    classes = classes.astype(np.int32)
    dealt, place = _most_cohorts(classes, sizes, sensitive, k, l)
    order = _dealing_order(classes, place, rank)
    del classes, place
    starts = np.cumsum(sizes) - sizes
    dealt = _reduce(order, sizes, starts, dealt, sensitive, l)
    return _numbers(order, sizes, starts, dealt), int(dealt.sum())


def _numbers(order: Ints, sizes: Ints, starts: Ints, dealt: Ints) -> Ints:
    """Cohort of each person, dealt round robin. Narrow, for there may be millions of them."""
    of = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
    number = np.arange(len(order), dtype=np.int32)
    number -= starts.astype(np.int32)[of]
    number %= np.maximum(dealt, 1).astype(np.int32)[of]
    number += (np.cumsum(dealt) - dealt).astype(np.int32)[of]
    number[(dealt == 0)[of]] = -1
    cohort = np.empty(len(order), dtype=np.int64)
    cohort[order] = number
    return cohort


def _most_cohorts(
    classes: Ints,
    sizes: Ints,
    sensitive: list[Codes],
    k: int,
    l: int,
) -> tuple[Ints, Ints | None]:
    """Upper bound of each class's cohorts, and each person's place in the dealing order of the class."""
    dealt = sizes // k
    if not sensitive:
        return dealt, None
    pair, joint = _pairs(classes, sensitive)
    sort_keys: list[Ints] = []
    for column in sensitive:
        codes = column.codes[pair.representative]
        held, order = _held(pair.classes, codes, pair.counts, column.size)
        top = _largest(pair.classes, codes, held, len(sizes), l - 1)
        known = np.bincount(pair.classes, weights=np.where(codes == MISSING, 0, pair.counts), minlength=len(sizes))
        dealt = np.minimum(dealt, (known - top).astype(np.int64))
        sort_keys += [order]
    keys = [pair.classes, *sort_keys]
    by = np.lexsort(tuple(reversed(keys)))
    place = np.empty(len(by), dtype=np.int64)
    place[by] = np.arange(len(by))
    return np.maximum(dealt, 0), place[joint]


@dataclass(frozen=True, slots=True)
class _Pairs:
    classes: Ints
    counts: Ints
    representative: Ints


def _pairs(classes: Ints, sensitive: list[Codes]) -> tuple[_Pairs, Ints]:
    """Distinct combinations of class and all sensitive values, and each person's combination."""
    key = classes.astype(np.int64)
    room = int(classes.max()) + 1
    for column in sensitive:
        if room * (column.size + 1) >= 2**62:
            key, room = _dense(key)
        key = key * (column.size + 1) + (column.codes + 1)
        room *= column.size + 1
    _, representative, joint, counts = np.unique(key, return_index=True, return_inverse=True, return_counts=True)
    return _Pairs(classes[representative].astype(np.int64), counts, representative), joint


def _held(classes: Ints, codes: Ints, counts: Ints, size: int) -> tuple[Ints, Ints]:
    """For each pair: persons of its class with its value, and a key: frequent values first, empty last."""
    key = classes * (size + 1) + (codes.astype(np.int64) + 1)
    _, inverse = np.unique(key, return_inverse=True)
    total = np.bincount(inverse, weights=counts).astype(np.int64)
    held = total[inverse]
    order = np.where(codes == MISSING, 2**62, (2**31 - held) * (size + 1) + codes)
    return held, order


def _largest(classes: Ints, codes: Ints, held: Ints, class_count: int, top: int) -> Ints:
    """Sum, per class, of the persons who hold one of its `top` most frequent values."""
    known = codes != MISSING
    distinct = np.unique(np.stack([classes[known], -held[known], codes[known]]), axis=1)
    each, sizes = distinct[0], -distinct[1]
    starts = np.searchsorted(each, np.arange(class_count))
    place = np.arange(len(each)) - starts[each]
    chosen = place < top
    return np.bincount(each[chosen], weights=sizes[chosen], minlength=class_count)


def _dealing_order(classes: Ints, place: Ints | None, rank: Ints) -> Ints:
    if place is None:
        place = classes
    bits = max(int(len(rank) - 1).bit_length(), 1)
    if int(place.max()).bit_length() + bits < 63:
        packed = (place.astype(np.int64) << bits) | rank
        return np.argsort(packed, kind="stable")
    return np.lexsort((rank, place))


def _reduce(
    order: Ints,
    sizes: Ints,
    starts: Ints,
    dealt: Ints,
    sensitive: list[Codes],
    l: int,
) -> Ints:
    """Fewer, larger cohorts for classes in which some cohort has fewer than ℓ values; 0 where even one fails."""
    dealt = dealt.copy()
    open_ = np.flatnonzero(dealt > 0) if sensitive else np.empty(0, dtype=np.int64)
    while len(open_):
        failed = _failing(open_, order, sizes, starts, dealt, sensitive, l)
        dealt[failed] = np.where(dealt[failed] == 1, 0, np.maximum(dealt[failed] * 3 // 4, 1))
        open_ = failed[dealt[failed] > 0]
    return dealt


def _failing(
    chosen: Ints,
    order: Ints,
    sizes: Ints,
    starts: Ints,
    dealt: Ints,
    sensitive: list[Codes],
    l: int,
) -> Ints:
    own = np.repeat(np.arange(len(chosen)), sizes[chosen])
    begins = np.cumsum(sizes[chosen]) - sizes[chosen]
    position = np.arange(len(own)) - begins[own]
    people = order[starts[chosen][own] + position]
    offsets = np.cumsum(dealt[chosen]) - dealt[chosen]
    cohort = offsets[own] + position % dealt[chosen][own]
    bad = np.zeros(len(chosen), dtype=bool)
    owner = np.repeat(np.arange(len(chosen)), dealt[chosen])
    for column in sensitive:
        distinct = distinct_values(cohort, column.codes[people], len(owner), column.size)
        bad[owner[distinct < l]] = True
    return chosen[bad]


def distinct_values(cohort: Ints, codes: Ints, cohorts: int, size: int) -> Ints:
    """Number of different values (empty apart) in each cohort."""
    known = codes != MISSING
    if cohorts * size <= 64_000_000:
        seen = np.zeros(cohorts * size, dtype=bool)
        seen[cohort[known] * size + codes[known]] = True
        result: Ints = seen.reshape(cohorts, size).sum(axis=1)
        return result
    pairs = np.unique(cohort[known].astype(np.int64) * size + codes[known])
    return np.bincount(pairs // size, minlength=cohorts)


def value_pairs(owner: Ints, values: Ints) -> Ints:
    """Of each owner (≥ 0) the different values of each column. `values`: persons × columns, 0 where none is
    shown."""
    columns = values.shape[1]
    found = [np.empty(0, dtype=np.uint64)]
    for column in range(columns):
        known = values[:, column] != 0
        place = owner[known].astype(np.uint64) * np.uint64(columns) + np.uint64(column)
        found.append(np.unique(place << np.uint64(32) | values[known, column].astype(np.uint64)))
    return np.sort(np.concatenate(found))
