"""The third jail: anonymity measured on the finished files, by other means than those that made them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, BinaryIO

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct
from pyarrow import parquet

from catalog.cohorts import MISSING, Codes, Ints, distinct_values
from catalog.jailed.cells import ARROW
from catalog.jailed.loaded import LOADED
from catalog.wire import MeasureColumn, MeasureOrder, MeasureReply
from sandbox.job import LEVEL

assert LOADED  # imported for what importing it does


class Spread(Struct, frozen=True):
    """Of sensitive values in the worst cohort: distinct values, exp of the entropy, distance from all persons."""

    l: int
    entropy_l: float
    t: float


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """inputs: the parts, then the cohorts' ranges (int64 × 3); in aggregate mode also each person's cohort (int32)
    and the persons' sensitive columns (Arrow IPC stream). Returns a MeasureReply."""
    order = msgspec.msgpack.decode(payload, type=MeasureOrder)
    try:
        parts = [_part(fd) for fd in inputs[: order.parts]]
        ranges = np.frombuffer(_bytes(inputs[order.parts]), dtype=np.int64).reshape(-1, 3)
        fault = _ranges_fault(ranges, parts) or _schema_fault(order, parts)
        if fault:
            return msgspec.msgpack.encode(MeasureReply(fault=fault))
        measure = _rows if order.mode == "rows" else _aggregate
        reply = measure(order, parts, ranges, list(inputs[order.parts + 1 :]))
    except (pa.ArrowException, OSError, ValueError):
        reply = MeasureReply(fault="unreadable")
    return msgspec.msgpack.encode(reply)


def _part(descriptor: int) -> pa.Table:
    return parquet.ParquetFile(pa.BufferReader(_bytes(descriptor))).read(use_threads=False)


def _bytes(descriptor: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return file.read()


def _ranges_fault(ranges: Ints, parts: list[pa.Table]) -> str:
    """The ranges must cover every row of every part once, in order."""
    for index, part in enumerate(parts):
        own = ranges[ranges[:, 0] == index]
        edges = np.concatenate([[0], own[:, 2]])
        if not len(own) or (own[:, 1] != edges[:-1]).any() or edges[-1] != part.num_rows:
            return "ranges"
    return "" if len(ranges) and set(ranges[:, 0]) == set(range(len(parts))) else "ranges"


def _schema_fault(order: MeasureOrder, parts: list[pa.Table]) -> str:
    expected: dict[str, Any] = {}
    for column in order.columns:
        if column.role == "quasi-identifier" or (column.role == "sensitive" and order.mode == "rows"):
            expected[column.name] = ARROW[column.type]
    if order.mode == "aggregate":
        expected |= {"n": pa.int64(), LEVEL: pa.string()}
        expected |= {f"{a}__{b}__sumxy": pa.float64() for a, b in order.pairs}
        for column in (c for c in order.columns if c.role == "measure"):
            expected |= {
                f"{column.name}__count": pa.int64(), f"{column.name}__sum": pa.float64(),
                f"{column.name}__sumsq": pa.float64(),
            }  # fmt: skip
    same = all(dict(zip(p.schema.names, p.schema.types, strict=True)) == expected for p in parts)
    return "" if same else "schema"


def _rows(order: MeasureOrder, parts: list[pa.Table], ranges: Ints, _: list[int]) -> MeasureReply:
    table = pa.concat_tables(parts)
    sizes = ranges[:, 2] - ranges[:, 1]
    cohort = np.repeat(np.arange(len(sizes)), sizes)
    names = [c.name for c in order.columns if c.role == "quasi-identifier"]
    for name in names:
        codes = codes_of(table.column(name)).codes
        if (np.maximum.reduceat(codes, np.cumsum(sizes) - sizes) != np.minimum.reduceat(
            codes, np.cumsum(sizes) - sizes
        )).any():  # fmt: skip
            return MeasureReply(fault="alike")
    spread = _worst([spread_of(cohort, codes_of(table.column(c.name)), len(sizes)) for c in _sensitive(order)])
    return _reply(order, spread, int(sizes.min()), table.num_rows, table.num_rows)


def _aggregate(order: MeasureOrder, parts: list[pa.Table], ranges: Ints, more: list[int]) -> MeasureReply:
    table = pa.concat_tables(parts)
    n = table.column("n").to_numpy()
    number = np.frombuffer(_bytes(more[0]), dtype=np.int32)
    inside = number >= 0
    if (np.bincount(number[inside], minlength=len(n)) != n).any() or len(ranges) != len(n):
        return MeasureReply(fault="persons")
    for column in (c for c in order.columns if c.role == "measure"):
        count = table.column(f"{column.name}__count").combine_chunks().drop_null().to_numpy()
        if len(count) and count.min() < order.k:
            return MeasureReply(fault="contributors")
    for a, b in order.pairs:
        told = table.column(f"{a}__{b}__sumxy").is_valid()
        counts = [table.column(f"{m}__count").filter(told) for m in (a, b)]
        if any(c.null_count for c in counts) or not counts[0].equals(counts[1]):
            return MeasureReply(fault="contributors")
    persons = pa.ipc.open_stream(pa.BufferReader(_bytes(more[1]))).read_all()
    spread = _worst([
        spread_of(number[inside].astype(np.int64), _chosen(codes_of(persons.column(c.name)), inside), len(n))
        for c in _sensitive(order)
    ])  # fmt: skip
    return _reply(order, spread, int(n.min()), table.num_rows, int(n.sum()))


def _chosen(codes: Codes, inside: Ints) -> Codes:
    return Codes(codes.codes[inside], codes.size)


def _sensitive(order: MeasureOrder) -> list[MeasureColumn]:
    return [c for c in order.columns if c.role == "sensitive"]


def _reply(order: MeasureOrder, spread: Spread | None, k: int, rows: int, persons: int) -> MeasureReply:
    fault = "k" if k < order.k else "l" if spread is not None and spread.l < order.l else ""
    return MeasureReply(
        k=k, l=spread.l if spread else None, entropy_l=spread.entropy_l if spread else None,
        t=spread.t if spread else None, rows=rows, persons=persons, fault=fault,
    )  # fmt: skip


def codes_of(data: pa.ChunkedArray) -> Codes:
    """Any column as codes, MISSING where empty."""
    if pa.types.is_dictionary(data.type):
        data = data.cast(data.type.value_type)
    encoded = data.combine_chunks().dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    codes = encoded.indices.fill_null(MISSING).to_numpy(zero_copy_only=False).astype(np.int64)
    return Codes(codes, max(len(encoded.dictionary), 1))


def spread_of(cohort: Ints, column: Codes, cohorts: int) -> Spread:
    """Distinct ℓ, entropy ℓ and t of the worst cohort (t: half the sum of differences of the shares)."""
    known = column.codes != MISSING
    distinct = distinct_values(cohort, column.codes, cohorts, column.size)
    pairs, counts = np.unique(cohort[known] * column.size + column.codes[known], return_counts=True)
    owner, value = pairs // column.size, pairs % column.size
    total = np.bincount(owner, weights=counts, minlength=cohorts)
    share = counts / total[owner]
    entropy = np.bincount(owner, weights=-share * np.log(share), minlength=cohorts)
    overall = np.bincount(value, weights=counts, minlength=column.size) / max(counts.sum(), 1)
    apart = np.bincount(owner, weights=np.abs(share - overall[value]) - overall[value], minlength=cohorts)
    distance = np.where(total > 0, (apart + 1) / 2, 1.0)
    return Spread(int(distinct.min()), round(float(np.exp(entropy.min())), 4), round(float(distance.max()), 4))


def _worst(spreads: list[Spread]) -> Spread | None:
    if not spreads:
        return None
    return Spread(min(s.l for s in spreads), min(s.entropy_l for s in spreads), max(s.t for s in spreads))
