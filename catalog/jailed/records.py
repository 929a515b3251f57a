"""Runs in a jail: a table in Arrow or Parquet becomes one JSON object a line, all values text, nothing guessed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa
from pyarrow import parquet

from catalog.jailed.header import tidy
from catalog.jailed.loaded import LOADED
from catalog.jailed.parquet_source import ParquetSource
from catalog.jailed.refused import Refused
from catalog.wire import RecordsOrder, RecordsReply, Refusal

assert LOADED  # imported for what importing it does

MAX_COLUMNS = 64
SLICE_ROWS = 16_384


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Read inputs[0] as the RecordsOrder says; write lines of JSON. Returns a RecordsReply."""
    order = msgspec.msgpack.decode(payload, type=RecordsOrder)
    with os.fdopen(os.dup(inputs[0]), "rb", buffering=1024 * 1024) as file:
        try:
            reply = RecordsReply(rows=_write(order, file, output))
        except Refused as refused:
            reply = RecordsReply(refusal=refused.refusal)
        except (pa.ArrowException, OSError, UnicodeDecodeError):
            reply = RecordsReply(refusal=Refusal("ingest.arrow_broken"))
    return msgspec.msgpack.encode(reply)


def _write(order: RecordsOrder, file: BinaryIO, output: BinaryIO) -> int:
    rows, encoder = 0, msgspec.json.Encoder()
    for batch in _batches(order, file):
        rows += batch.num_rows
        if rows > order.max_rows:
            raise Refused("ingest.too_many_rows", max_rows=order.max_rows)
        names = batch.schema.names
        for begin in range(0, batch.num_rows, SLICE_ROWS):
            columns = [_texts(c) for c in batch.slice(begin, SLICE_ROWS).columns]
            records = [
                {name: value for name, value in zip(names, values, strict=True) if value is not None}
                for values in zip(*columns, strict=True)
            ]
            output.write(encoder.encode_lines(records))
    return rows


def _batches(order: RecordsOrder, file: BinaryIO) -> Iterator[pa.RecordBatch]:
    magic = file.peek(8)[:6]  # type: ignore[attr-defined]
    if magic.startswith(b"PAR1"):
        wanted = _known(parquet.read_schema(file).names, order.columns)
        file.seek(0)
        bounds = {"max_rows": order.max_rows, "max_row_group_bytes": order.max_row_group_bytes}
        source = ParquetSource(file, wanted, max_bytes=order.max_bytes, **bounds)
        for batch in source.file.iter_batches(SLICE_ROWS, columns=source.raw_names, use_threads=False):
            yield batch.select(source.raw_names).rename_columns(wanted)
        return
    reader = pa.ipc.open_file(file) if magic == b"ARROW1" else pa.ipc.open_stream(file)
    names = _known(reader.schema.names, order.columns)
    for batch in _arrow(reader):
        batch.validate(full=True)
        yield batch.rename_columns(names)


def _arrow(reader: Any) -> Iterator[pa.RecordBatch]:
    if isinstance(reader, pa.RecordBatchFileReader):
        yield from (reader.get_batch(i) for i in range(reader.num_record_batches))
    else:
        yield from reader


def _known(found: Sequence[str], allowed: Sequence[str]) -> list[str]:
    if len(found) > MAX_COLUMNS:
        raise Refused("ingest.too_many_columns", columns=len(found), max=MAX_COLUMNS)
    names = [tidy(name) for name in found]
    if len(set(names)) < len(names) or not set(names) <= set(allowed):
        raise Refused("ingest.columns_unknown", columns=", ".join(allowed))
    return names


def _texts(array: pa.Array) -> list[str | None]:
    """Instants in UTC; bytes in hex; what has no plain text is refused."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_binary(kind) or pa.types.is_fixed_size_binary(kind) or pa.types.is_large_binary(kind):
        return [None if value is None else value.hex() for value in array.to_pylist()]
    if pa.types.is_nested(kind):
        raise Refused("ingest.arrow_broken")
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        # As numbers, because names of time zones are looked up in files that no jail has.
        microseconds = array.cast(pa.timestamp("us", kind.tz), safe=False).cast(pa.int64())
        return [t and t + "Z" for t in microseconds.cast(pa.timestamp("us")).cast(pa.string()).to_pylist()]
    texts: list[str | None] = array.cast(pa.string()).to_pylist()
    return texts
