"""A batch of persons as the broker itself reads them: by the manifest's transforms, a distinct value at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints
from catalog.jailed.coding import Coded, arrow_values, code_column
from catalog.jailed.digests import class_numbers, digests
from catalog.jailed.measures import Measure, read_measures
from catalog.jailed.mixing import mix, stable
from catalog.wire import AnonymiseOrder


@dataclass(frozen=True, slots=True)
class Batch:
    """`classes`: number of the class at each level; `shown`: the same, as files write the values; `values`,
    `written` (× sensitive columns): number of the value (0: none), and as files write it."""

    classes: list[Ints]
    shown: list[Ints]
    digest: Ints
    values: Ints
    written: Ints
    measures: list[Measure]


def read_batch(order: AnonymiseOrder, table: pa.Table) -> Batch:
    """Raises Refused for a value that no group of the manifest names."""
    rows = table.num_rows
    dimensions, sensitive = (
        [code_column(c, table.column(c.reads), order.hierarchies) for c in order.columns if c.role == role]
        for role in ("quasi-identifier", "sensitive")
    )
    measures = read_measures(order, table)
    levels = [[c.level(i)[c.codes] for c in dimensions] for i in range(order.level_count)]
    return Batch(
        classes=[class_numbers(dimensions, places, rows) for places in levels],
        shown=[_written(dimensions, places, rows) for places in levels],
        digest=digests(sensitive, measures, rows),
        values=_columns([_numbers(c.shown)[c.fine[c.codes]] for c in sensitive], rows),
        written=_columns([written_numbers(arrow_values(c))[c.fine[c.codes]] for c in sensitive], rows),
        measures=measures,
    )  # fmt: skip


def written_numbers(values: pa.Array) -> Ints:
    """A number of each value as it is read back from a file; 0 for none."""
    return _numbers(values.to_pylist())


def fold(columns: list[Ints], rows: int) -> Ints:
    """One number a row, of the numbers of its columns."""
    folded = np.zeros(rows, dtype=np.uint64)
    for numbers in columns:
        folded = mix(folded, numbers)
    return folded


def _numbers(values: list[object]) -> Ints:
    return np.array([0 if v is None else stable(v) | 1 << 32 for v in values], dtype=np.uint64)


def _written(dimensions: list[Coded], codes: list[Ints], rows: int) -> Ints:
    return fold(
        [written_numbers(arrow_values(c))[places] for c, places in zip(dimensions, codes, strict=True)], rows
    )


def _columns(columns: list[Ints], rows: int) -> Ints:
    return np.stack(columns, axis=1) if columns else np.empty((rows, 0), dtype=np.uint64)
