"""Runs in a jail: a table that nobody described becomes typed Arrow batches. Types are found in the data.

A column is of the narrowest type that takes every cell as it is written; what has a leading zero is a code, not a
number, and stays text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import msgspec
import pyarrow as pa
from pyarrow import compute

from catalog.jailed.cells import Cells
from catalog.jailed.ingest import ingest
from catalog.jailed.loaded import LOADED
from catalog.jailed.opening import open_sources
from catalog.jailed.parquet_source import ParquetSource
from catalog.jailed.refused import Refused
from catalog.reading import Reading
from catalog.wire import IngestColumn, IngestOrder, OwnReply

assert LOADED  # imported for what importing it does

MAX_COLUMNS = 200
NAME_CHARACTERS = 63
_DAY = r"(\d{4}-\d{2}-\d{2}|\d{1,2}[/-]\d{1,2}[/-]\d{4})"
SHAPES = {
    "BIGINT": r"^[+-]?(0|[1-9]\d*)$",
    "DOUBLE": r"^[+-]?(0|[1-9]\d{0,14})?(\.\d*)?([eE][+-]?\d+)?$",
    "DATE": f"^{_DAY}$",
    "TIMESTAMP": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}",
}
"""Narrowest first: how every cell of a column of that type is written (RE2). Beyond 15 digits a DOUBLE makes one
number of two codes."""


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Read inputs[0] within the bounds of an IngestOrder without columns; write an Arrow IPC stream.

    Returns an OwnReply.
    """
    order = msgspec.msgpack.decode(payload, type=IngestOrder)
    try:
        columns = _columns(order, inputs)
        named = msgspec.structs.replace(order, columns=columns)
        reply = OwnReply(columns=columns, rows=ingest(named, inputs, output).rows)
    except Refused as refused:
        reply = OwnReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def _columns(order: IngestOrder, inputs: Sequence[int]) -> tuple[IngestColumn, ...]:
    types: Types | None = None
    for source in open_sources(order, inputs):
        if types is None:
            _check_names(source.wanted)
            types = Types(source.wanted)
        rows = 0
        if isinstance(source, ParquetSource):
            types.announced([_stored(source.file.schema_arrow.field(name).type) for name in source.raw_names])
            continue
        for batch in source.batches():
            rows += batch.num_rows
            if rows > order.max_rows:
                raise Refused("ingest.too_many_rows", max_rows=order.max_rows)
            types.take(batch)
    assert types is not None  # there is an input
    return tuple(IngestColumn(name=name, type=kind, line=0) for name, kind in types.found().items())


def _check_names(names: Sequence[str]) -> None:
    if len(names) > MAX_COLUMNS:
        raise Refused("ingest.too_many_columns", columns=len(names), max=MAX_COLUMNS)
    for place, name in enumerate(names, 1):
        if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
            raise Refused("ingest.column_name", place=place, max=NAME_CHARACTERS)
    folded = [name.casefold() for name in names]
    twice = [name for name in names if folded.count(name.casefold()) > 1]
    if twice:
        raise Refused("ingest.columns_twice", columns=", ".join(twice[:20]))


def _stored(kind: pa.DataType) -> str:
    """Of a Parquet column, which says itself what it is."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    for is_kind, name in (
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_integer, "BIGINT"),
        (pa.types.is_floating, "DOUBLE"),
        (pa.types.is_decimal, "DOUBLE"),
        (pa.types.is_date, "DATE"),
        (pa.types.is_timestamp, "TIMESTAMP"),
    ):
        if is_kind(kind):
            return name
    return "VARCHAR"


class Types:
    """The narrowest type of each column; VARCHAR where none fits, or where no cell says anything."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.left = [list(SHAPES) for _ in names]
        self.told = [False] * len(names)
        self.said: list[str] = []

    def announced(self, kinds: list[str]) -> None:
        """By a file that says itself what its columns are."""
        self.said = kinds

    def take(self, batch: pa.RecordBatch) -> None:
        """Every distinct text of the batch."""
        for i, column in enumerate(batch.columns):
            texts = compute.utf8_trim_whitespace(column.dictionary)
            texts = texts.filter(compute.not_equal(texts, ""))
            self.told[i] = self.told[i] or len(texts) > 0
            self.left[i] = [kind for kind in self.left[i] if _fits(kind, texts)]

    def found(self) -> dict[str, str]:
        """Name → type."""
        kinds = self.said or [
            left[0] if left and told else "VARCHAR" for left, told in zip(self.left, self.told, strict=True)
        ]
        return dict(zip(self.names, kinds, strict=True))


def _fits(kind: str, texts: pa.Array) -> bool:
    if not len(texts):
        return True
    if not compute.all(compute.match_substring_regex(texts, SHAPES[kind])).as_py():
        return False
    cells = Cells(IngestColumn(name="", type=kind, line=0), _NO_WORDS, Reading())
    _, wrong = cells.convert(texts.dictionary_encode())
    return not len(wrong)


_NO_WORDS = pa.array([""], pa.string())
