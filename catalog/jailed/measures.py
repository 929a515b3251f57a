"""Measures in aggregate mode: clamped, then per cohort count, sum and sum of squares, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.cohorts import Ints
from catalog.wire import AnonymiseColumn, AnonymiseOrder

DOMINANCE_SHARE: Final = 0.5
"""The p% rule: a cohort's sums are withheld if one person makes up more than this share of the absolute sum."""


@dataclass(frozen=True, slots=True)
class Measure:
    """`values` are clamped; where `present` is false they mean nothing."""

    name: str
    values: NDArray[np.float64]
    present: NDArray[np.bool_]
    low: float
    high: float
    of: tuple[int, ...] = ()
    """Of a pair: which two measures its values are products of."""


@dataclass(frozen=True, slots=True)
class Sums:
    """One entry a cohort; `given` false: the three stay empty."""

    name: str
    count: Ints
    total: Ints
    squares: Ints
    given: Ints


def read_measures(order: AnonymiseOrder, table: pa.Table) -> list[Measure]:
    """All of them, then each pair as the product of two: of those who have both."""
    found = [read_measure(c, table.column(c.reads)) for c in order.columns if c.role == "measure"]
    place = {m.name: i for i, m in enumerate(found)}
    return found + [_product(found, place[a], place[b]) for a, b in order.pairs]


def _product(measures: list[Measure], a: int, b: int) -> Measure:
    left, right = measures[a], measures[b]
    present = left.present & right.present
    ends = [x * y for x in (left.low, left.high) for y in (right.low, right.high)]
    values = np.where(present, left.values * right.values, 0.0)
    return Measure(f"{left.name}__{right.name}", values, present, min(ends), max(ends), (a, b))


def read_measure(column: AnonymiseColumn, data: pa.ChunkedArray) -> Measure:
    """Every value within the clamp of the manifest."""
    assert column.fine is not None  # a manifest without clamp is refused
    assert column.fine.clamp is not None
    low, high = column.fine.clamp
    array = data.cast(pa.float64()).combine_chunks()
    present = array.is_valid().to_numpy(zero_copy_only=False)
    values = array.fill_null(0).to_numpy(zero_copy_only=False)
    present = present & np.isfinite(values)
    return Measure(column.name, np.clip(np.where(present, values, 0), low, high), present, low, high)


def columns_of(sums: Sums, pair: bool) -> dict[str, Ints]:
    """What a file holds of a measure, or of a pair: whose count, where it is given, is that of either."""
    if pair:
        return {f"{sums.name}__sumxy": sums.total}
    return {
        f"{sums.name}__count": sums.count,
        f"{sums.name}__sum": sums.total,
        f"{sums.name}__sumsq": sums.squares,
    }


def all_sums(measures: list[Measure], order: Ints, starts: Ints, k: int) -> list[Sums]:
    """Of each measure and pair. A pair's is withheld where either is, or where somebody has the one without the
    other: else the difference of two sums would be of these few."""
    found: list[Sums] = []
    for measure in measures:
        told = sums(measure, order, starts, k)
        for one in (found[i] for i in measure.of):
            told = replace(told, given=told.given & one.given & (told.count == one.count))
        found.append(told)
    return found


def sums(measure: Measure, order: Ints, starts: Ints, k: int) -> Sums:
    """Sums per cohort (`order`, cut at `starts`); withheld below k contributors or if one dominates."""
    values, present = measure.values[order], measure.present[order]
    values = np.where(present, values, 0.0)
    count = np.add.reduceat(present.astype(np.int64), starts)
    total = np.add.reduceat(values, starts)
    absolute = np.abs(values)
    largest, whole = np.maximum.reduceat(absolute, starts), np.add.reduceat(absolute, starts)
    given = (count >= k) & ~(largest > DOMINANCE_SHARE * whole)
    return Sums(measure.name, count, total, np.add.reduceat(values * values, starts), given)
