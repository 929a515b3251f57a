"""Read an answer that a worker wrote: an Arrow stream that may lie in every byte.

It must have exactly the columns that the plan predicted, be whole and valid, and keep its limits. It is then
written anew, so that nothing but the values the schema names leaves the jail.
"""

from __future__ import annotations

import functools
import io
import mmap
import re
import struct
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import pyarrow as pa
from pyarrow import compute

from sandbox.isolation.messages import require_plain
from sandbox.job import Limits, OutputColumn, SandboxFailed
from sandbox.worker.wire import BATCH_ROWS

BATCH_BYTES = 1024 * 1024
_SIMPLE = {
    "BOOLEAN": pa.bool_(), "TINYINT": pa.int8(), "SMALLINT": pa.int16(), "INTEGER": pa.int32(),
    "BIGINT": pa.int64(), "UTINYINT": pa.uint8(), "USMALLINT": pa.uint16(), "UINTEGER": pa.uint32(),
    "UBIGINT": pa.uint64(), "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "VARCHAR": pa.string(),
    "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"), "TIME": pa.time64("us"),
}  # fmt: skip
TEXT_FREE_BYTES = 100
TEXT_BYTES_A_RECORD = 10
"""Above what a label needs, a text counts as one record more for each so many bytes."""
_DECIMAL = re.compile(r"DECIMAL\((\d{1,2}),(\d{1,2})\)")


class Invalid(Exception):
    """The stream is not what it must be; the text is for the operator's log only."""


class Sink(Protocol):
    """Takes an Arrow stream, part by part; what it raises ends the reading, and is no OSError."""

    def write(self, data: bytes, /) -> int: ...


class Size(NamedTuple):
    """`records`: how many there may be in these rows."""

    rows: int
    records: int


def copy_answer(data: bytes | mmap.mmap, columns: tuple[OutputColumn, ...], limits: Limits, sink: Sink) -> Size:
    """Write the answer to `sink` as a clean Arrow stream; tells what is in it. Holds one batch at a time.

    Raises SandboxFailed: invalid_result, too_many_rows (all records count), too_many_bytes; the sink has then
    a part that is worth nothing.
    """
    counted = _Counted(sink, limits.max_bytes)
    try:
        return _copied(data, columns, limits, counted)
    except (pa.ArrowException, Invalid, OSError, ValueError, struct.error) as error:
        raise SandboxFailed("sandbox.invalid_result", entered=True) from error
    except _TooLong:
        params = {"max_bytes": limits.max_bytes}
        raise SandboxFailed("sandbox.too_many_bytes", entered=True, params=params) from None


@functools.cache
def arrow_type(name: str) -> pa.DataType:
    """The Arrow type of a DuckDB type name; lists end in []. Raises ValueError for one that may not leave."""
    if name.endswith("[]"):
        return pa.list_(arrow_type(name[:-2]))
    if name == "HUGEINT":
        return pa.decimal128(38, 0)
    if found := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(found[1]), int(found[2]))
    if name not in _SIMPLE:
        raise ValueError(name)
    return _SIMPLE[name]


def _copied(data: bytes | mmap.mmap, columns: tuple[OutputColumn, ...], limits: Limits, sink: _Counted) -> Size:
    expected = pa.schema([(column.name, arrow_type(column.type)) for column in columns])
    source = pa.BufferReader(pa.py_buffer(data))
    messages = _messages(source)
    schema = pa.ipc.read_schema(next(messages))
    if schema.names != expected.names or not all(
        _same(a, b) for a, b in zip(schema.types, expected.types, strict=True)
    ):
        raise Invalid("columns are not those of the plan")
    rows = records = 0
    a_row = 1 + max(len(columns) - (limits.values_a_record or len(columns)), 0)
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), expected) as writer:
        for batch in _batches(messages, schema):
            clean = _valid(batch, sink).cast(expected)
            rows += clean.num_rows
            records += a_row * clean.num_rows + sum(_more_records(column) for column in clean.columns)
            if records > limits.max_rows:
                raise SandboxFailed("sandbox.too_many_rows", entered=True, params={"max_rows": limits.max_rows})
            for part in _sliced(clean):
                writer.write_batch(_only_values(part))
            if isinstance(data, mmap.mmap):
                # Read once: what was copied need not stay in this process.
                data.madvise(mmap.MADV_DONTNEED, 0, source.tell() // mmap.PAGESIZE * mmap.PAGESIZE)
    return Size(rows, records)


def _batches(messages: Iterator[pa.Message], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Each but the last as large as an honest worker's: a hundred thousand without a row would keep this process
    busy for seconds."""
    before = BATCH_ROWS
    for message in messages:
        if before < BATCH_ROWS:
            raise Invalid("small batches")
        batch = pa.ipc.read_record_batch(message, schema)
        before = batch.num_rows
        yield batch


def _valid(batch: pa.RecordBatch, sink: _Counted) -> pa.RecordBatch:
    """The batch, every byte of it checked, in the time that its size allows."""
    batch.validate()
    columns, size_bytes = [], 0
    for column in batch.columns:
        column.validate(full=True)
        columns.append(_without_empty_parts(column))
        # A stream may point many columns at the same bytes: count them before the next is looked at.
        size_bytes += columns[-1].nbytes
        sink.require_room(size_bytes)
    return pa.record_batch(columns, schema=batch.schema)


def _without_empty_parts(column: pa.Array) -> pa.Array:
    """The same, what has no elements made anew: Arrow does not check where it begins, and aborts there."""
    if not len(column):
        return pa.array([], column.type)
    if not pa.types.is_list(column.type):
        return column
    inner = [_without_empty_parts(column.values)]
    return pa.Array.from_buffers(column.type, len(column), column.buffers()[:2], children=inner)


def _sliced(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Parts of about a mebibyte, whatever the worker calls a batch: whoever reads them holds one at a time."""
    step = max(1, batch.num_rows * BATCH_BYTES // max(batch.nbytes, BATCH_BYTES))
    for start in range(0, batch.num_rows, step):
        yield batch.slice(start, step)


class _TooLong(Exception):
    """More than may leave."""


class _Counted(io.RawIOBase):
    """The sink, up to a number of bytes."""

    def __init__(self, sink: Sink, most_bytes: int) -> None:
        self._sink, self._left = sink, most_bytes

    def writable(self) -> bool:
        return True

    def require_room(self, size_bytes: int) -> None:
        if size_bytes > self._left:
            raise _TooLong

    def write(self, data: bytes) -> int:  # type: ignore[override]  # Arrow hands over bytes
        self.require_room(len(data))
        self._left -= len(data)
        return self._sink.write(data)


def _messages(source: pa.BufferReader) -> Iterator[pa.Message]:
    """The messages of a stream: a schema, then only plain record batches, then its end."""
    reader = pa.ipc.MessageReader.open_stream(source)
    kinds = iter(["schema"])
    for message in reader:
        if message.type != next(kinds, "record batch"):
            raise Invalid(f"a {message.type} message")
        require_plain(message.metadata.to_pybytes())
        yield message
    if next(kinds, None):
        raise Invalid("no schema")


def _same(given: pa.DataType, expected: pa.DataType) -> bool:
    """Equal but for the name that an engine gives to the elements of a list."""
    if pa.types.is_list(given) and pa.types.is_list(expected):
        return _same(given.value_type, expected.value_type)
    return bool(given == expected)


def _more_records(column: pa.Array) -> int:
    """What an answer may hold beside its rows: list elements at every depth, as far as rows refer to them, and
    what long texts may be put together from. Else one row would carry a whole table past every cap."""
    if pa.types.is_string(column.type):
        # numpy: Arrow looks for pandas on the disk each time that it is handed a plain number.
        above = compute.binary_length(column).drop_null().to_numpy() - TEXT_FREE_BYTES
        return int((np.maximum(above, 0) // TEXT_BYTES_A_RECORD).sum())
    if not pa.types.is_list(column.type):
        return 0
    inner = column.flatten()
    return len(inner) + _more_records(inner)


def _only_values(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Without what a worker may have put where no value is: under a null, before or behind all texts."""
    every = np.arange(batch.num_rows)
    columns = [c if _nothing_hidden(c) else compute.take(c, every) for c in batch.columns]
    return pa.record_batch(columns, schema=batch.schema)


def _nothing_hidden(values: pa.Array) -> bool:
    if values.null_count or pa.types.is_list(values.type):
        return False
    if not pa.types.is_string(values.type) or not len(values):
        return True
    _, offsets, data = values.buffers()
    first, last = (
        struct.unpack_from("<i", offsets, 4 * i)[0] for i in (values.offset, values.offset + len(values))
    )
    return bool(first == 0 and last == (data.size if data else 0))
