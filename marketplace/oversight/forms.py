"""The forms of an export: NDJSON with all that is shown, CSV and Parquet with a column a field."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, Protocol

import msgspec
import pyarrow as pa
import pyarrow.parquet
from msgspec import Struct

from marketplace.audit.reads import EventView
from marketplace.calendar import VIETNAM
from marketplace.queries.forms import harmless

FormName = Literal["ndjson", "csv", "parquet"]
INSTANT: Final = "at"
"""Milliseconds since 1970 UTC in NDJSON; in CSV ISO 8601 in Viet Nam's time, in Parquet a timestamp of UTC."""
NUMBERS = {"revision", "bytes", "price_vnd", "leaf_index", "dataset_counter", "dataset_previous"}
"""Fields that are integers."""
FIELDS = EventView.__struct_fields__
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Sink(Protocol):
    def write(self, data: Any, /) -> int: ...


class Writer(Protocol):
    """Takes events batch by batch."""

    def write(self, events: Sequence[EventView], /) -> None: ...

    def close(self) -> None: ...


class Form(Struct, frozen=True):
    """`compression`: of the zip around it; Parquet is compressed already."""

    open: Callable[[Any], Writer]
    compression: int


class _Ndjson:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def write(self, events: Sequence[EventView]) -> None:
        self._sink.write(b"".join(msgspec.json.encode(event) + b"\n" for event in events))

    def close(self) -> None:
        """Every line stands by itself."""


class _Csv:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._lines([FIELDS])

    def write(self, events: Sequence[EventView]) -> None:
        self._lines([[*map(_told, FIELDS, _cells(event))] for event in events])

    def close(self) -> None:
        """Every line stands by itself."""

    def _lines(self, rows: Sequence[Sequence[object]]) -> None:
        text = io.StringIO()
        csv.writer(text).writerows(
            [harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
        )
        self._sink.write(text.getvalue().encode())


def _told(name: str, cell: int | str | None) -> int | str | None:
    """As a reader of a spreadsheet understands it."""
    if name != INSTANT or not isinstance(cell, int):
        return cell
    return (_EPOCH + timedelta(milliseconds=cell)).astimezone(VIETNAM).isoformat(timespec="milliseconds")


def _kind(name: str) -> pa.DataType:
    if name == INSTANT:
        return pa.timestamp("ms", "UTC")
    return pa.int64() if name in NUMBERS else pa.string()


class _Parquet:
    SCHEMA = pa.schema([(name, _kind(name)) for name in FIELDS])

    def __init__(self, sink: Sink) -> None:
        self._writer = pa.parquet.ParquetWriter(sink, self.SCHEMA)

    def write(self, events: Sequence[EventView]) -> None:
        rows = [dict(zip(FIELDS, _cells(event), strict=True)) for event in events]
        self._writer.write_table(pa.Table.from_pylist(rows, self.SCHEMA))

    def close(self) -> None:
        self._writer.close()


FORMS: dict[FormName, Form] = {
    "ndjson": Form(_Ndjson, zipfile.ZIP_DEFLATED),
    "csv": Form(_Csv, zipfile.ZIP_DEFLATED),
    "parquet": Form(_Parquet, zipfile.ZIP_STORED),
}


def _cells(event: EventView) -> list[int | str | None]:
    """Integers as they are, ids as text, parties and body as JSON."""
    return [_cell(getattr(event, name)) for name in FIELDS]


def _cell(value: Any) -> int | str | None:
    if value is None or isinstance(value, int | str):
        return value
    return msgspec.json.encode(value).decode() if isinstance(value, dict | tuple) else str(value)
