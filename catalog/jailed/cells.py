"""Texts become typed values, once a distinct text; what cannot is counted with its lines, never shown."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct

from catalog.wire import IngestColumn

ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"),
}  # fmt: skip
_TRUE = frozenset({"true", "t", "yes", "y", "1", "x", "có", "co", "đúng", "dung"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "", "không", "khong", "sai"})
_WHOLE = re.compile(r"[+-]?\d{1,19}(\.0*)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_CONTROL = dict.fromkeys(range(32))
_LINES_NAMED = 10
_MAX_TEXT = 1_000


class Wrong(Struct):
    """Cells of one column that are not of its type."""

    cells: int = 0
    lines: list[int] = []


def convert(column: IngestColumn, array: pa.DictionaryArray, null_words: frozenset[str], first_line: int,
            wrong: Wrong) -> pa.Array:  # fmt: skip
    """Dictionary-encoded text as the column's type (text stays dictionary-encoded)."""
    parse = _parser(column)
    texts = array.dictionary.to_pylist()
    values: list[Any] = []
    bad: list[int] = []
    for i, text in enumerate(texts):
        tidy = _tidy(text)
        if tidy is None or tidy in null_words:
            values.append(None)
            continue
        value = parse(tidy)
        if value is None:
            bad.append(i)
        values.append(value)
    indices = array.indices
    if bad:
        _note(wrong, indices, bad, first_line)
    if column.type == "VARCHAR":
        return _dictionary(indices, values)
    return pa.array(values, ARROW[column.type]).take(indices)


def _tidy(text: str | None) -> str | None:
    if text is None:
        return None
    return text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip()


def _note(wrong: Wrong, indices: pa.Array, bad: list[int], first_line: int) -> None:
    places = np.flatnonzero(np.isin(indices.fill_null(-1).to_numpy(zero_copy_only=False), bad))
    wrong.cells += len(places)
    room = _LINES_NAMED - len(wrong.lines)
    wrong.lines = wrong.lines + [int(first_line + p) for p in places[: max(room, 0)]]


def _dictionary(indices: pa.Array, values: list[str | None]) -> pa.Array:
    """Texts that became equal or empty after tidying share one entry."""
    distinct = sorted({v for v in values if v is not None})
    place = {v: i for i, v in enumerate(distinct)}
    codes = pa.array([None if v is None else place[v] for v in values], pa.int32())
    return pa.DictionaryArray.from_arrays(codes.take(indices), pa.array(distinct, pa.string()))


def _parser(column: IngestColumn) -> Callable[[str], Any]:
    if column.type == "DATE":
        return lambda text: _instant(text, column.format, date=True)
    if column.type == "TIMESTAMP":
        return lambda text: _instant(text, column.format, date=False)
    return _PARSERS[column.type]


def _text(text: str) -> str | None:
    return text.translate(_CONTROL) if len(text) <= _MAX_TEXT else None


def _whole(text: str) -> int | None:
    if not _WHOLE.fullmatch(text):
        return None
    value = int(text.split(".", maxsplit=1)[0])
    return value if -(2**63) <= value < 2**63 else None


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if abs(value) < float("inf") else None


def _boolean(text: str) -> bool | None:
    word = text.casefold()
    return True if word in _TRUE else False if word in _FALSE else None


_PARSERS: dict[str, Callable[[str], Any]] = {
    "VARCHAR": _text, "BIGINT": _whole, "DOUBLE": _number, "BOOLEAN": _boolean,
}  # fmt: skip
_DAY = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")


def _instant(text: str, format_: str | None, *, date: bool) -> datetime.date | None:
    try:
        if format_ is not None:
            moment = datetime.datetime.strptime(text, format_)
        elif match := _DAY.fullmatch(text):
            moment = datetime.datetime(int(match[3]), int(match[2]), int(match[1]))
        else:
            moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = moment.astimezone(datetime.UTC).replace(tzinfo=None)
    return moment.date() if date else moment
