"""Measures in aggregate mode: clamped, then per cohort count, sum and sum of squares, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.cohorts import Ints
from catalog.wire import AnonymiseColumn

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


@dataclass(frozen=True, slots=True)
class Sums:
    """One entry a cohort; `given` false: the three stay empty."""

    name: str
    count: Ints
    total: Ints
    squares: Ints
    given: Ints


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
