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

TOLD_DIGITS: Final = 12
"""Of a sum: what lies behind them is rounding, which tells in which order, and of which values, it came about."""
_EXACT, _LEAST = 2.0**53, 1e-100


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
    squares = np.add.reduceat(values * values, starts)
    if (values == np.rint(values)).all():
        # Whole numbers add up exactly, as far as a float counts.
        return Sums(
            measure.name, count, np.where(whole < _EXACT, total + 0.0, told(total, whole)),
            np.where(squares < _EXACT, squares, told(squares, squares)), given,
        )  # fmt: skip
    return Sums(measure.name, count, told(total, whole), told(squares, squares), given)


def told(total: NDArray[np.float64], absolute: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sums to TOLD_DIGITS digits of what they would be were no value below zero; zero has no sign."""
    digits = _digits(absolute)
    power = 10.0 ** np.abs(digits)
    rounded = np.where(digits >= 0, np.rint(total * power) / power, np.rint(total / power) * power)
    return np.asarray(rounded + 0.0)


def is_told(said: NDArray[np.float64], total: NDArray[np.float64], absolute: NDArray[np.float64]) -> Ints:
    """Whether `said` is what may be told of this total, added up in another order, and no digit more."""
    # A total halfway between two steps may go to either.
    near = np.abs(said - total) <= 0.51 * 10.0 ** -_digits(absolute)
    whole = (said == np.rint(said)) & (absolute < _EXACT)
    same: Ints = near & (whole | (said == told(said, absolute)))
    return same


def _digits(absolute: NDArray[np.float64]) -> NDArray[np.float64]:
    """Behind the point, of those that are told; below zero: that many before it are not."""
    return np.asarray(TOLD_DIGITS - np.ceil(np.log10(np.maximum(absolute, _LEAST))))
