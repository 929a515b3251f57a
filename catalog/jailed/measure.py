"""The third jail: anonymity measured on the finished files, by other means than those that made them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, BinaryIO

import duckdb
import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import parquet

from catalog.cohorts import Ints
from catalog.jailed import engine
from catalog.jailed.cells import ARROW
from catalog.jailed.loaded import LOADED
from catalog.jailed.risk import measured
from catalog.risk.figures import Risk
from catalog.wire import MeasureOrder, MeasureReply
from sandbox.job import LEVEL
from sandbox.worker.refusal import Refused

assert LOADED  # imported for what importing it does
warm = engine.warm

_BATCH_ROWS = 131_072


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """inputs: the parts, then the cohorts' ranges (int64 × 3); in aggregate mode also each person's cohort (int32)
    and the persons' sensitive columns (Arrow IPC stream). Returns a MeasureReply."""
    order = msgspec.msgpack.decode(payload, type=MeasureOrder)
    try:
        parts = [parquet.ParquetFile(pa.BufferReader(_bytes(fd))) for fd in inputs[: order.parts]]
        ranges = np.frombuffer(_bytes(inputs[order.parts]), dtype=np.int64).reshape(-1, 3)
        fault = _ranges_fault(ranges, parts) or _schema_fault(order, parts)
        if fault:
            return msgspec.msgpack.encode(MeasureReply(fault=fault))
        measure = _rows if order.mode == "rows" else _aggregate
        reply = measure(order, parts, ranges, list(inputs[order.parts + 1 :]))
    except (duckdb.OutOfMemoryException, MemoryError):
        raise Refused("memory") from None
    except (pa.ArrowException, duckdb.Error, OSError, ValueError):
        reply = MeasureReply(fault="unreadable")
    return msgspec.msgpack.encode(reply)


def _bytes(descriptor: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return file.read()


def _ranges_fault(ranges: Ints, parts: list[parquet.ParquetFile]) -> str:
    """The ranges must cover every row of every part once, in order."""
    for index, part in enumerate(parts):
        own = ranges[ranges[:, 0] == index]
        edges = np.concatenate([[0], own[:, 2]])
        if not len(own) or (own[:, 1] != edges[:-1]).any() or edges[-1] != part.metadata.num_rows:
            return "ranges"
    return "" if len(ranges) and set(ranges[:, 0]) == set(range(len(parts))) else "ranges"


def _schema_fault(order: MeasureOrder, parts: list[parquet.ParquetFile]) -> str:
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
    schemas = [p.schema_arrow for p in parts]
    same = all(dict(zip(s.names, s.types, strict=True)) == expected for s in schemas)
    return "" if same else "schema"


def _rows(order: MeasureOrder, parts: list[parquet.ParquetFile], ranges: Ints, _: list[int]) -> MeasureReply:
    """A cohort is a class of its own here, however many more are like it."""
    alike, sensitive = _names(order, "quasi-identifier"), _names(order, "sensitive")
    sizes = ranges[:, 2] - ranges[:, 1]
    risk = _risk(_numbered(_batches(parts), sizes), [*alike, *sensitive], sensitive)
    if risk.classes != len(ranges):
        return MeasureReply(fault="alike")
    return _reply(order, risk, risk.persons)


def _batches(parts: list[parquet.ParquetFile]) -> Iterator[pa.RecordBatch]:
    for part in parts:
        yield from part.iter_batches(_BATCH_ROWS, use_threads=False)


def _numbered(batches: Iterable[pa.RecordBatch], sizes: Ints) -> Iterator[tuple[pa.Array, pa.RecordBatch]]:
    """Each batch with its rows' cohorts: the ranges cover the parts in order."""
    ends, at = np.cumsum(sizes), 0
    for batch in batches:
        rows = np.arange(at, at + batch.num_rows)
        yield pa.array(np.searchsorted(ends, rows, side="right").astype(np.int32)), batch
        at += batch.num_rows


def _aggregate(
    order: MeasureOrder, parts: list[parquet.ParquetFile], ranges: Ints, more: list[int]
) -> MeasureReply:
    table = pa.concat_tables(p.read(use_threads=False) for p in parts)
    n = table.column("n").to_numpy()
    number = np.frombuffer(_bytes(more[0]), dtype=np.int32)
    if (np.bincount(number[number >= 0], minlength=len(n)) != n).any() or len(ranges) != len(n):
        return MeasureReply(fault="persons")
    if not _enough_contribute(order, table):
        return MeasureReply(fault="contributors")
    sensitive = _names(order, "sensitive")
    with os.fdopen(os.dup(more[1]), "rb") as file:
        file.seek(0)
        risk = _risk(_placed(pa.ipc.open_stream(file), number), sensitive, sensitive)
    return _reply(order, risk, table.num_rows)


def _placed(persons: Iterable[pa.RecordBatch], number: Ints) -> Iterator[tuple[pa.Array, pa.RecordBatch]]:
    at = 0
    for batch in persons:
        yield pa.array(number[at : at + batch.num_rows]), batch
        at += batch.num_rows


def _enough_contribute(order: MeasureOrder, table: pa.Table) -> bool:
    """Whether no sum is of fewer than k, nor the difference of two."""
    for name in _names(order, "measure"):
        count = table.column(f"{name}__count").combine_chunks().drop_null().to_numpy()
        if len(count) and count.min() < order.k:
            return False
    for a, b in order.pairs:
        told = table.column(f"{a}__{b}__sumxy").is_valid()
        counts = [table.column(f"{m}__count").filter(told) for m in (a, b)]
        if any(c.null_count for c in counts) or not counts[0].equals(counts[1]):
            return False
    return True


def _names(order: MeasureOrder, role: str) -> list[str]:
    return [c.name for c in order.columns if c.role == role]


def _risk(numbered: Iterator[tuple[pa.Array, pa.RecordBatch]], names: list[str], sensitive: list[str]) -> Risk:
    """Of the classes that the cohort and the columns that are not sensitive make, over those who are in one."""
    alike = len(names) - len(sensitive)
    labels = ["q0", *(f"q{i + 1}" for i in range(alike)), *(f"s{i}" for i in range(len(sensitive)))]
    batches = (pa.record_batch([n, *(_plain(b.column(c)) for c in names)], labels) for n, b in numbered)
    first = next(batches, None)
    if first is None:
        raise ValueError("no rows")
    connection = engine.ready_engine()
    connection.register("persons", pa.RecordBatchReader.from_batches(first.schema, _again(first, batches)))
    reply = measured(connection, "SELECT * FROM persons WHERE q0 >= 0", 1 + alike, sensitive)
    connection.unregister("persons")
    if reply.risk is None:
        raise ValueError(reply.fault)
    return reply.risk


def _again(first: pa.RecordBatch, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield first
    yield from batches


def _plain(column: pa.Array) -> pa.Array:
    """Without a dictionary: each batch has another."""
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def _reply(order: MeasureOrder, risk: Risk, rows: int) -> MeasureReply:
    fault = "k" if risk.k < order.k else "l" if risk.l is not None and risk.l < order.l else ""
    return MeasureReply(k=risk.k, l=risk.l, rows=rows, persons=risk.persons, fault=fault, risk=risk)
