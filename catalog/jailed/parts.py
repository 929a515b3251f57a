"""The files of a version: sorted by consent, class and cohort, cut into parts at cohorts, written as Parquet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from catalog.cohorts import Ints
from catalog.jailed.coding import Coded, arrow_values
from catalog.jailed.digests import mix, stable
from catalog.jailed.measures import Measure, sums
from catalog.widths import logical_bytes
from catalog.wire import AnonymiseOrder, PartHead, write_frame


@dataclass(frozen=True, slots=True)
class Finished:
    """`number`: each person's final cohort, −1 for none. `ranges`: part, first row, end row of each cohort.
    `classes`: a number of each cohort's class, stable between versions. `dimension_codes`: of each cohort."""

    rows: int
    number: Ints
    ranges: Ints
    classes: Ints
    logical_bytes: dict[str, int]
    dimension_codes: list[Ints]
    order: Ints


def write_parts(
    order: AnonymiseOrder, dimensions: list[Coded], sensitive: list[Coded], stays: list[Ints],
    measures: list[Measure], mask: Ints, cohort: Ints, fine_cohorts: int, cohorts: int, rank: Ints,
    output: BinaryIO,
) -> Finished:  # fmt: skip
    """Sort, number the cohorts in the order of the files, write every part as two frames (head, bytes)."""
    by, sizes, number = _sort(dimensions, mask, cohort, fine_cohorts, cohorts, rank)
    starts = np.cumsum(sizes) - sizes
    first = by[starts]
    codes = [_cohort_codes(c, first, cohort, fine_cohorts) for c in dimensions]
    masks = mask[first]
    table = _table(order, dimensions, codes, sensitive, stays, measures, by, sizes, starts)
    lengths = sizes if order.mode == "rows" else np.ones(cohorts, dtype=np.int64)
    ranges = np.empty((cohorts, 3), dtype=np.int64)
    row = 0
    for index, (begin, end) in enumerate(_cut(masks, lengths, order.part_rows)):
        rows = int(lengths[begin:end].sum())
        ends = np.cumsum(lengths[begin:end])
        ranges[begin:end] = np.stack([np.full(end - begin, index), ends - lengths[begin:end], ends], axis=1)
        write_frame(output, b"HEAD", msgspec.msgpack.encode(PartHead(rows=rows, mask=int(masks[begin]))))
        write_frame(output, b"PART", parquet_bytes(table.slice(row, rows), order.row_group_rows))
        row += rows
    final = np.full(len(cohort), -1, dtype=np.int64)
    final[cohort >= 0] = number[cohort[cohort >= 0]]
    return Finished(
        rows=table.num_rows, number=final, ranges=ranges, classes=_classes(dimensions, codes, masks),
        logical_bytes=logical_bytes(table, [m.name for m in measures]), dimension_codes=codes, order=by,
    )  # fmt: skip


def _sort(
    dimensions: list[Coded], mask: Ints, cohort: Ints, fine_cohorts: int, cohorts: int, rank: Ints
) -> tuple[Ints, Ints, Ints]:
    """Released persons in file order, sizes of the cohorts in that order, and old cohort number → new one."""
    released = np.flatnonzero(cohort >= 0)
    sizes = np.bincount(cohort[released], minlength=cohorts)
    some = np.empty(cohorts, dtype=np.int64)
    some[cohort[released]] = released
    keys = [_cohort_codes(c, some, cohort, fine_cohorts) for c in dimensions]
    new_order = np.lexsort((np.arange(cohorts), *reversed(keys), mask[some]))
    number = np.empty(cohorts, dtype=np.int64)
    number[new_order] = np.arange(cohorts)
    bits = max(len(rank).bit_length(), 1)
    packed = (number[cohort[released]] << bits) | rank[released]
    return released[np.argsort(packed, kind="stable")], sizes[new_order], number


def _cohort_codes(coded: Coded, person: Ints, cohort: Ints, fine_cohorts: int) -> Ints:
    codes = coded.codes[person]
    return np.where(cohort[person] < fine_cohorts, coded.fine[codes], coded.coarse[codes])


def _table(
    order: AnonymiseOrder, dimensions: list[Coded], codes: list[Ints], sensitive: list[Coded], stays: list[Ints],
    measures: list[Measure], by: Ints, sizes: Ints, starts: Ints,
) -> pa.Table:  # fmt: skip
    columns: dict[str, pa.Array] = {}
    for coded, values in zip(dimensions, codes, strict=True):
        each = np.repeat(values, sizes) if order.mode == "rows" else values
        columns[coded.column.name] = arrow_values(coded).take(pa.array(each))
    if order.mode == "rows":
        for coded, staying in zip(sensitive, stays, strict=True):
            shown = coded.fine[coded.codes[by]]
            columns[coded.column.name] = arrow_values(coded).take(pa.array(shown, mask=~staying[shown]))
        return pa.table(columns)
    columns["n"] = pa.array(sizes, pa.int64())
    for measure in measures:
        s = sums(measure, by, starts, order.k)
        hidden = ~s.given
        columns[f"{s.name}__count"] = pa.array(s.count, pa.int64(), mask=hidden)
        columns[f"{s.name}__sum"] = pa.array(s.total, pa.float64(), mask=hidden)
        columns[f"{s.name}__sumsq"] = pa.array(s.squares, pa.float64(), mask=hidden)
    return pa.table(columns)


def _cut(masks: Ints, lengths: Ints, part_rows: int) -> Iterator[tuple[int, int]]:
    """Cohort ranges of the parts: one set of purposes each, about `part_rows` rows, never within a cohort."""
    borders = [0, *(np.flatnonzero(np.diff(masks)) + 1).tolist(), len(masks)]
    ends = np.cumsum(lengths)
    for begin, end in pairwise(borders):
        at = begin
        while at < end:
            base = ends[at] - lengths[at]
            stop = min(max(int(np.searchsorted(ends, base + part_rows, side="right")), at + 1), end)
            yield at, stop
            at = stop


def parquet_bytes(table: pa.Table, row_group_rows: int) -> memoryview:
    """Zstandard Parquet without any metadata of the machine that wrote it."""
    sink = io.BytesIO()
    parquet.write_table(
        table, sink, compression="zstd", row_group_size=row_group_rows, store_schema=False, write_statistics=True
    )
    return sink.getbuffer()


def _classes(dimensions: list[Coded], codes: list[Ints], masks: Ints) -> Ints:
    digest: Any = mix(np.zeros(len(masks), dtype=np.uint64), masks.astype(np.uint64))
    for coded, values in zip(dimensions, codes, strict=True):
        numbers = np.array([stable((coded.column.name, v)) for v in coded.shown], dtype=np.uint64)
        digest = mix(digest, numbers[values])
    result: Ints = digest
    return result
