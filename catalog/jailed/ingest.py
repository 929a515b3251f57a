"""The first jail: an owner's file becomes typed Arrow batches. Nothing is hashed here and no key is here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, BinaryIO

import msgspec
import pyarrow as pa

from catalog.jailed.cells import ARROW, Wrong, convert
from catalog.jailed.csv_source import CsvSource
from catalog.jailed.loaded import LOADED
from catalog.jailed.parquet_source import ParquetSource
from catalog.jailed.refused import Refused
from catalog.jailed.rolling import Rolling
from catalog.wire import IngestOrder, IngestReply

assert LOADED  # imported for what importing it does

_CHUNK_ROWS = 131_072
See = Callable[[pa.RecordBatch], None]


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Read inputs[0] as the IngestOrder says; write an Arrow IPC stream. Returns an IngestReply."""
    order = msgspec.msgpack.decode(payload, type=IngestOrder)
    with os.fdopen(os.dup(inputs[0]), "rb", buffering=1024 * 1024) as file:
        try:
            reply = ingest(order, file, output)
        except Refused as refused:
            reply = IngestReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def ingest(order: IngestOrder, file: BinaryIO, output: BinaryIO, see: See | None = None) -> IngestReply:
    """Write the columns of the order as an Arrow IPC stream; `see` sees each batch as it stands in the file.

    Raises Refused.
    """
    source, kind = open_source(order, file)
    wrong = {c.name: Wrong() for c in order.columns}
    with pa.ipc.new_stream(output, stream_schema(order)) as writer:
        rolling = Rolling(order) if order.rolling is not None else None
        events = 0
        for arrays in _converted(order, source, wrong, see):
            events += len(arrays[0])
            if any(w.cells for w in wrong.values()):
                continue
            if rolling is not None:
                rolling.take(arrays)
            else:
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=stream_schema(order)))
        _require_typed(order, wrong)
        if events == 0:
            raise Refused("ingest.no_rows")
        rows = events
        if rolling is not None:
            table = rolling.table()
            rows = table.num_rows
            writer.write_table(table.cast(stream_schema(order)), max_chunksize=_CHUNK_ROWS)
    return IngestReply(
        rows=rows, events=events if rolling else 0, format=kind, encoding=source.encoding,
        delimiter=source.delimiter,
    )  # fmt: skip


def _converted(
    order: IngestOrder, source: Any, wrong: dict[str, Wrong], see: See | None
) -> Iterator[list[pa.Array]]:
    """The order's columns of each batch, typed."""
    null_words = pa.array([*order.null_words, ""], pa.string())
    place = {name: i for i, name in enumerate(source_names(order))}
    rows = 0
    for batch in source.batches():
        if rows + batch.num_rows > order.max_rows:
            raise Refused("ingest.too_many_rows", max_rows=order.max_rows)
        if see is not None:
            see(batch)
        yield [
            convert(column, batch.column(place[column.reads]), null_words, rows + 2, wrong[column.name])
            for column in order.columns
        ]
        rows += batch.num_rows


def source_names(order: IngestOrder) -> list[str]:
    """The file's columns that the order reads, in the order in which a batch has them."""
    return list(dict.fromkeys(c.reads for c in order.columns))


def open_source(order: IngestOrder, file: BinaryIO) -> tuple[CsvSource | ParquetSource, str]:
    """The file by its kind, with the columns that the order reads; without any, with all. Raises Refused."""
    names = source_names(order) or None
    file.seek(0)
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
    kinds = [(c.name, c.type) for c in order.columns]
    if order.rolling is not None:
        rolled = order.rolling
        kinds = [(r.name, r.type) for r in rolled.rolls]
        kinds += [(rolled.key, "VARCHAR"), *((flag, "BOOLEAN") for flag in rolled.flags)]
    return pa.schema([(name, text if kind == "VARCHAR" else ARROW[kind]) for name, kind in kinds])


def _require_typed(order: IngestOrder, wrong: dict[str, Wrong]) -> None:
    found = [(c, wrong[c.name]) for c in order.columns if wrong[c.name].cells]
    if found:
        columns = "; ".join(f"{c.reads} ({c.type}): {w.cells} — {', '.join(map(str, w.lines))}" for c, w in found)
        raise Refused("ingest.wrong_type", columns=columns, cells=sum(w.cells for _, w in found))
