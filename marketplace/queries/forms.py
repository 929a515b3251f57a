"""The forms in which an answer leaves: Arrow as it is kept, the others made of it batch by batch."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from msgspec import Struct

from marketplace.queries.keeping import Answer

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""First characters by which a spreadsheet takes a text for a formula, the full-width ones in some languages."""
_BEGINS = "[" + re.escape("".join(FORMULA)) + "]"
_CELL = re.compile(rf'\A(?={_BEGINS})|(?<=[;\t\r\n])(?=[ "]*{_BEGINS})')
"""Where a cell may begin with a formula: some locales part columns at `;` even within what RFC 4180 quotes."""
_TOLD_APART = re.compile(rf"'+(?={_BEGINS})")
"""A name that begins as an apostrophe before a formula does: it is given one more, for it is another name."""
_IN_LIST = re.compile(rf';(?=[ "\\]*{_BEGINS})')
_NAMES = {math.inf: "Infinity", -math.inf: "-Infinity"}
PIECE_BYTES = 64 * 1024


class Form(Struct, frozen=True):
    """`pieces` of the same answer are the same bytes each time, by the same version of this code and of Arrow."""

    media_type: str
    pieces: Callable[[Answer], Iterator[bytes]]


def arrow(answer: Answer) -> Iterator[bytes]:
    """The kept stream itself."""
    return answer.parts(0, answer.size_bytes)


def json(answer: Answer) -> Iterator[bytes]:
    """An array of objects; dates and instants in ISO 8601, decimals as text, so that no digit is lost.

    What is no number in JSON is a text: "Infinity", "-Infinity", "NaN"; null is NULL and nothing else."""
    return _gathered(_json(answer))


def csv(answer: Answer) -> Iterator[bytes]:
    """RFC 4180 with header; an apostrophe stands before what a spreadsheet would run as a formula.

    That is at the beginning of a text, and behind a `;`, a tab or a line break in it.

    Numbers and dates are written by their digits, with no apostrophe: a minus there is a minus.
    """
    return _gathered(_csv(answer))


def parquet(answer: Answer) -> Iterator[bytes]:
    """A row group a batch."""
    return _gathered(_parquet(answer))


FORMS: dict[str, Form] = {
    form.media_type: form
    for form in (
        Form("application/json", json),
        Form("text/csv", csv),
        Form("application/vnd.apache.parquet", parquet),
        Form("application/vnd.apache.arrow.stream", arrow),
    )
}
"""By media type."""


def first_rows(answer: Answer, limit: int) -> list[dict[str, Any]]:
    """The first rows, for a page; no more is read than they need."""
    rows: list[dict[str, Any]] = []
    for batch in _batches(answer):
        rows += _objects(batch.slice(0, limit - len(rows)))
        if len(rows) >= limit:
            break
    return rows


def schema_of(answer: Answer) -> pa.Schema:
    """With the answer's label."""
    return _batches(answer).schema


def _batches(answer: Answer) -> pa.RecordBatchReader:
    answer.seek(0)
    return pa.ipc.open_stream(pa.PythonFile(answer, mode="r"))


def _gathered(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces that are worth sending."""
    gathered = bytearray()
    for part in parts:
        gathered += part
        if len(gathered) >= PIECE_BYTES:
            yield bytes(gathered)
            gathered.clear()
    if gathered:
        yield bytes(gathered)


def _json(answer: Answer) -> Iterator[bytes]:
    before = b"["
    for batch in _batches(answer):
        for row in _objects(batch):
            yield before + msgspec.json.encode(row)
            before = b","
    yield b"[]" if before == b"[" else b"]"


def _csv(answer: Answer) -> Iterator[bytes]:
    reader, sink = _batches(answer), _Drained()
    schema = pa.schema(
        [(_headed(f.name), pa.string() if pa.types.is_nested(f.type) else f.type) for f in reader.schema]
    )
    with pa.csv.CSVWriter(sink, schema) as writer:
        for batch in reader:
            writer.write_batch(pa.record_batch([_csv_column(c) for c in batch.columns], schema=schema))
            yield sink.drain()
    yield sink.drain()


def _csv_column(column: pa.Array) -> pa.Array:
    """CSV has no lists: they are written as JSON, with \\u003b for a `;` that a formula follows."""
    if pa.types.is_string(column.type):
        return pa.array([None if v is None else harmless(v) for v in column.to_pylist()], pa.string())
    if pa.types.is_nested(column.type):
        lists = (
            None if v is None else _IN_LIST.sub(r"\\u003b", msgspec.json.encode(v).decode())
            for v in _values(column)
        )
        return pa.array(lists, pa.string())
    return column


def _headed(column: str) -> str:
    return f"'{column}" if _TOLD_APART.match(column) else harmless(column)


def harmless(value: str) -> str:
    """The text with an apostrophe before whatever a spreadsheet would run as a formula."""
    return _CELL.sub("'", value)


def _parquet(answer: Answer) -> Iterator[bytes]:
    reader, sink = _batches(answer), _Drained()
    with pa.parquet.ParquetWriter(sink, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
            yield sink.drain()
    yield sink.drain()


class _Drained(io.BytesIO):
    """What a writer has written since the last look."""

    def drain(self) -> bytes:
        written = self.getvalue()
        self.seek(0)
        self.truncate()
        return written

    def close(self) -> None:
        """Writers close what they write to; its end is still to be drained."""


def _objects(batch: pa.RecordBatch) -> list[dict[str, Any]]:
    columns = [_values(column) for column in batch.columns]
    return [dict(zip(batch.schema.names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.Array) -> list[Any]:
    """Python's calendar ends with the year 9999, the engine's does not: such days are shown as text."""
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        text_type = pa.list_(pa.string()) if pa.types.is_nested(column.type) else pa.string()
        values = column.cast(text_type).to_pylist()
    if pa.types.is_floating(column.type) or pa.types.is_nested(column.type):
        return [_named(each) for each in values]
    return values


def _named(value: Any) -> Any:
    """A number that is not finite by its name, as ProtoJSON has them; also in lists and structs."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _NAMES.get(value, "NaN")
    if isinstance(value, list | tuple):
        return [_named(each) for each in value]
    if isinstance(value, dict):
        return {key: _named(each) for key, each in value.items()}
    return value
