"""The files of a version: sorted by consent, class and cohort, cut into parts at cohorts, written as Parquet."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from catalog.cohorts import Ints, at_levels
from catalog.jailed.coding import arrow_values
from catalog.jailed.digests import class_numbers
from catalog.jailed.forming import Formed, Persons
from catalog.jailed.measures import all_sums, columns_of
from catalog.version import LEVELS
from catalog.widths import logical_bytes
from catalog.wire import AnonymiseOrder, PartHead, write_frame
from sandbox.job import LEVEL


@dataclass(frozen=True, slots=True)
class Finished:
    """`cohort`: each person's cohort in the files, −1 for none; `number`: provisional cohort → that in the files.

    Of each cohort in the files: `ranges` (part, first row, end row), `classes` (a number of the class, the same in
    all versions), `level`, `given` (× measures: are its sums shown). `dimension_codes`: of each cohort, per
    dimension.
    """

    rows: int
    cohort: Ints
    number: Ints
    ranges: Ints
    classes: Ints
    level: Ints
    given: Ints
    logical_bytes: dict[str, int]
    dimension_codes: list[Ints]
    order: Ints


@dataclass(frozen=True, slots=True)
class _Sorted:
    """Released persons and cohorts in the order of the files."""

    by: Ints
    sizes: Ints
    starts: Ints
    number: Ints
    cohorts: Ints
    codes: list[Ints]


def write_parts(order: AnonymiseOrder, persons: Persons, formed: Formed, output: BinaryIO) -> Finished:
    """Sort, number the cohorts in the order of the files, write every part as two frames (head, bytes)."""
    laid = _sort(persons, formed)
    masks = formed.masks[laid.cohorts]
    table, given = _table(order, persons, formed, laid)
    cohorts = len(masks)
    lengths = laid.sizes if order.mode == "rows" else np.ones(cohorts, dtype=np.int64)
    ranges = np.empty((cohorts, 3), dtype=np.int64)
    row = 0
    for index, (begin, end) in enumerate(_cut(masks, lengths, order.part_rows)):
        rows = int(lengths[begin:end].sum())
        ends = np.cumsum(lengths[begin:end])
        ranges[begin:end] = np.stack([np.full(end - begin, index), ends - lengths[begin:end], ends], axis=1)
        write_frame(output, b"HEAD", msgspec.msgpack.encode(PartHead(rows=rows, mask=int(masks[begin]))))
        write_frame(output, b"PART", parquet_bytes(table.slice(row, rows), order.row_group_rows))
        row += rows
    final = np.full(len(formed.cohort), -1, dtype=np.int64)
    final[formed.cohort >= 0] = laid.number[formed.cohort[formed.cohort >= 0]]
    return Finished(
        rows=table.num_rows, cohort=final, number=laid.number, ranges=ranges,
        classes=class_numbers(persons.dimensions, laid.codes, cohorts), level=formed.level[laid.cohorts],
        given=given,
        logical_bytes=logical_bytes(table, [m.name for m in persons.measures if not m.of], order.pairs),
        dimension_codes=laid.codes, order=laid.by,
    )  # fmt: skip


def _sort(persons: Persons, formed: Formed) -> _Sorted:
    released = np.flatnonzero(formed.cohort >= 0)
    cohort, cohorts = formed.cohort[released], len(formed.masks)
    sizes = np.bincount(cohort, minlength=cohorts)
    some = np.empty(cohorts, dtype=np.int64)
    some[cohort] = released
    keys = [at_levels([places[c.codes[some]] for places in c.levels], formed.level) for c in persons.dimensions]
    new_order = np.lexsort((np.arange(cohorts), *reversed(keys), formed.masks))
    number = np.empty(cohorts, dtype=np.int64)
    number[new_order] = np.arange(cohorts)
    bits = max(len(persons.rank).bit_length(), 1)
    packed = (number[cohort] << bits) | persons.rank[released]
    sizes = sizes[new_order]
    return _Sorted(
        by=released[np.argsort(packed, kind="stable")], sizes=sizes, starts=np.cumsum(sizes) - sizes,
        number=number, cohorts=new_order, codes=[k[new_order] for k in keys],
    )  # fmt: skip


def _table(order: AnonymiseOrder, persons: Persons, formed: Formed, laid: _Sorted) -> tuple[pa.Table, Ints]:
    """The rows of all parts; in aggregate mode also which sums of which cohorts are shown."""
    columns: dict[str, pa.Array] = {}
    given = np.zeros((len(laid.sizes), len(persons.measures)), dtype=bool)
    for coded, values in zip(persons.dimensions, laid.codes, strict=True):
        each = np.repeat(values, laid.sizes) if order.mode == "rows" else values
        columns[coded.column.name] = arrow_values(coded).take(pa.array(each))
    if order.mode == "rows":
        for coded, seen in zip(persons.sensitive, formed.seen, strict=True):
            shown = coded.fine[coded.codes[laid.by]]
            columns[coded.column.name] = arrow_values(coded).take(pa.array(shown, mask=~seen.stays[laid.by]))
        return pa.table(columns), given
    columns["n"] = pa.array(laid.sizes, pa.int64())
    levels = pa.array(formed.level[laid.cohorts].astype(np.int8))
    columns[LEVEL] = pa.array(LEVELS, pa.string()).take(levels)
    every = all_sums(persons.measures, laid.by, laid.starts, order.k)
    for place, (measure, told) in enumerate(zip(persons.measures, every, strict=True)):
        given[:, place] = told.given & formed.given[laid.cohorts, place]
        for of in measure.of:
            given[:, place] &= given[:, of]
        for name, values in columns_of(told, bool(measure.of)).items():
            kind = pa.int64() if name.endswith("__count") else pa.float64()
            columns[name] = pa.array(values, kind, mask=~given[:, place])
    return pa.table(columns), given


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
