"""The first jail: an owner's file becomes typed Arrow batches. Nothing is hashed here and no key is here."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from catalog.jailed.cells import ARROW, Wrong, convert
from catalog.jailed.csv_source import CsvSource
from catalog.jailed.loaded import LOADED
from catalog.jailed.parquet_source import ParquetSource
from catalog.jailed.refused import Refused
from catalog.wire import IngestOrder, IngestReply

assert LOADED  # imported for what importing it does


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Read inputs[0] as the IngestOrder says; write an Arrow IPC stream. Returns an IngestReply."""
    order = msgspec.msgpack.decode(payload, type=IngestOrder)
    with os.fdopen(os.dup(inputs[0]), "rb", buffering=1024 * 1024) as file:
        try:
            reply = _ingest(order, file, output)
        except Refused as refused:
            reply = IngestReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def _ingest(order: IngestOrder, file: BinaryIO, output: BinaryIO) -> IngestReply:
    source, kind = _open(order, file)
    wrong = {c.name: Wrong() for c in order.columns}
    null_words = pa.array([*order.null_words, ""], pa.string())
    rows = 0
    with pa.ipc.new_stream(output, stream_schema(order)) as writer:
        for batch in source.batches():
            if rows + batch.num_rows > order.max_rows:
                raise Refused("ingest.too_many_rows", max_rows=order.max_rows)
            arrays = [
                convert(column, batch.column(i), null_words, rows + 2, wrong[column.name])
                for i, column in enumerate(order.columns)
            ]
            rows += batch.num_rows
            if not any(w.cells for w in wrong.values()):
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=writer_schema(order)))
    _require_typed(order, wrong)
    if rows == 0:
        raise Refused("ingest.no_rows")
    return IngestReply(rows=rows, format=kind, encoding=source.encoding, delimiter=source.delimiter)


def _open(order: IngestOrder, file: BinaryIO) -> tuple[Any, str]:
    names = [c.name for c in order.columns]
    magic = file.peek(4)[:4]  # type: ignore[attr-defined]
    if magic == b"PAR1":
        limits = {"max_rows": order.max_rows, "max_row_group_bytes": order.max_row_group_bytes}
        return ParquetSource(file, names, max_bytes=order.max_bytes, **limits), "parquet"
    if magic in (b"PK\x03\x04", b"%PDF", b"\xd0\xcf\x11\xe0"):
        raise Refused("ingest.not_text")
    source = CsvSource(file, names, max_bytes=order.max_bytes)
    return source, "csv.gz" if source.packed else "csv"


def stream_schema(order: IngestOrder) -> pa.Schema:
    """What the stream promises: text dictionary-encoded, everything else plain."""
    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([(c.name, text if c.type == "VARCHAR" else ARROW[c.type]) for c in order.columns])


writer_schema = stream_schema


def _require_typed(order: IngestOrder, wrong: dict[str, Wrong]) -> None:
    found = [(c, wrong[c.name]) for c in order.columns if wrong[c.name].cells]
    if found:
        columns = "; ".join(f"{c.name} ({c.type}): {w.cells} — {', '.join(map(str, w.lines))}" for c, w in found)
        raise Refused("ingest.wrong_type", columns=columns, cells=sum(w.cells for _, w in found))
