"""Runs in a jail: a table that nobody described becomes typed Arrow batches. Types are found in the data.

A column is of the narrowest type that takes every cell as it is written; what has a leading zero is a code, not a
number, and stays text.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import msgspec
import pyarrow as pa
from pyarrow import compute

from catalog.jailed.cells import Wrong, convert
from catalog.jailed.ingest import ingest, open_source
from catalog.jailed.loaded import LOADED
from catalog.jailed.parquet_source import ParquetSource
from catalog.jailed.refused import Refused
from catalog.wire import IngestColumn, IngestOrder, OwnReply

assert LOADED  # imported for what importing it does

MAX_COLUMNS = 200
NAME_CHARACTERS = 63
_DAY = r"(\d{4}-\d{2}-\d{2}|\d{1,2}[/-]\d{1,2}[/-]\d{4})"
SHAPES = {
    "BIGINT": r"^[+-]?(0|[1-9]\d*)$",
    "DOUBLE": r"^[+-]?(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d+)?$",
    "DATE": f"^{_DAY}$",
    "TIMESTAMP": r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}",
}
"""Narrowest first: how every cell of a column of that type is written (RE2)."""


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Read inputs[0] within the bounds of an IngestOrder without columns; write an Arrow IPC stream.

    Returns an OwnReply.
    """
    order = msgspec.msgpack.decode(payload, type=IngestOrder)
    with os.fdopen(os.dup(inputs[0]), "rb", buffering=1024 * 1024) as file:
        try:
            columns = _columns(order, file)
            named = msgspec.structs.replace(order, columns=columns)
            reply = OwnReply(columns=columns, rows=ingest(named, file, output).rows)
        except Refused as refused:
            reply = OwnReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def _columns(order: IngestOrder, file: BinaryIO) -> tuple[IngestColumn, ...]:
    source, _ = open_source(order, file)
    _check_names(source.wanted)
    if isinstance(source, ParquetSource):
        kinds = [_stored(source.file.schema_arrow.field(name).type) for name in source.raw_names]
    else:
        kinds = _found(order, source.batches(), len(source.wanted))
    return tuple(
        IngestColumn(name=name, type=kind, line=0) for name, kind in zip(source.wanted, kinds, strict=True)
    )


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


def _found(order: IngestOrder, batches: Iterator[pa.RecordBatch], count: int) -> list[str]:
    """The narrowest type of each column; VARCHAR where none fits, or where no cell says anything."""
    left = [list(SHAPES) for _ in range(count)]
    told = [False] * count
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        if rows > order.max_rows:
            raise Refused("ingest.too_many_rows", max_rows=order.max_rows)
        for i, column in enumerate(batch.columns):
            texts = compute.utf8_trim_whitespace(column.dictionary)
            texts = texts.filter(compute.not_equal(texts, ""))
            told[i] = told[i] or len(texts) > 0
            left[i] = [kind for kind in left[i] if _fits(kind, texts)]
    return [kinds[0] if kinds and some else "VARCHAR" for kinds, some in zip(left, told, strict=True)]


def _fits(kind: str, texts: pa.Array) -> bool:
    if not len(texts):
        return True
    if not compute.all(compute.match_substring_regex(texts, SHAPES[kind])).as_py():
        return False
    wrong = Wrong()
    convert(IngestColumn(name="", type=kind, line=0), texts.dictionary_encode(), _NO_WORDS, 0, wrong)
    return wrong.cells == 0


_NO_WORDS = pa.array([""], pa.string())
