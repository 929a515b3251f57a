"""Tables as they arrive from a jail: what wrote them has read a stranger's file, and may be anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import pyarrow as pa
from pyarrow import compute, parquet

from sandbox.isolation.messages import PlainStream

ARROW: Final[dict[str, pa.DataType]] = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"),
}  # fmt: skip
_FLAT: Final = (*ARROW.values(), pa.int32(), pa.dictionary(pa.int32(), pa.string()))
"""Not more: of lists, nulls and runs a few bytes make a billion rows, and Arrow does not check all of them."""
_UNFOLDED_BYTES: Final = 1024**3
"""Of a batch's column, once each row has its own copy of its text."""


def arriving(stream: BinaryIO) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """The next Arrow stream: its schema, and its batches, whole and valid. Raises ArrowInvalid, then and later."""
    reader = pa.ipc.open_stream(pa.PythonFile(PlainStream(stream), mode="r"))
    try:
        columns = dict(zip(reader.schema.names, reader.schema.types, strict=True))
    except UnicodeDecodeError as broken:
        raise pa.ArrowInvalid("a name that is no text") from broken
    if len(columns) < len(reader.schema) or not all(kind in _FLAT for kind in columns.values()):
        raise pa.ArrowInvalid("columns that no table has")
    return reader.schema, map(_valid, reader)


def require_rows(path: Path, rows: int) -> list[str]:
    """Before a part that a jail wrote is read: a few bytes of it may be any number of rows, or copies of a text.

    Gives its columns of texts, to be read as dictionaries. Raises ArrowInvalid, OSError.
    """
    with parquet.ParquetFile(path) as file:
        head = file.metadata
        said = {head.num_rows, sum(head.row_group(i).num_rows for i in range(head.num_row_groups))}
        fields = list(file.schema_arrow)
    if said != {rows} or any(pa.types.is_nested(field.type) for field in fields):
        raise pa.ArrowInvalid("a part that unfolds")
    return [field.name for field in fields if pa.types.is_string(field.type)]


def _valid(batch: pa.RecordBatch) -> pa.RecordBatch:
    batch.validate(full=True)
    for column in batch.columns:
        if not pa.types.is_dictionary(column.type):
            continue
        longest = compute.max(compute.binary_length(column.dictionary)).as_py() or 0
        if longest * len(column) > _UNFOLDED_BYTES:
            raise pa.ArrowInvalid("texts that unfold")
    return batch
