"""Texts become typed values, once a distinct text; what cannot is counted with its lines, never shown."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
from msgspec import Struct
from pyarrow import compute

from catalog.cohorts import Ints
from catalog.wire import IngestColumn

ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"),
}  # fmt: skip
_TRUE = frozenset({"true", "t", "yes", "y", "1", "x", "có", "co", "đúng", "dung"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "", "không", "khong", "sai"})
_WHOLE = re.compile(r"[+-]?\d{1,19}(\.0*)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_LINES_NAMED = 10
_MAX_TEXT_BYTES = 4_000


class Wrong(Struct):
    """Cells of one column that are not of its type."""

    cells: int = 0
    lines: list[int] = []


def convert(
    column: IngestColumn, array: pa.DictionaryArray, null_words: pa.Array, first_line: int, wrong: Wrong
) -> pa.Array:
    """Dictionary-encoded text as the column's type (text stays dictionary-encoded)."""
    texts = _tidy(array.dictionary, null_words)
    if column.type == "VARCHAR":
        too_long = compute.greater(compute.binary_length(texts), _MAX_TEXT_BYTES).fill_null(False)
        _note(wrong, array.indices, np.flatnonzero(too_long.to_numpy(zero_copy_only=False)), first_line)
        encoded = texts.dictionary_encode()
        return pa.DictionaryArray.from_arrays(encoded.indices.take(array.indices), encoded.dictionary)
    values = _at_once(column, texts)
    if values is None:
        values, bad = _one_by_one(column, texts)
        _note(wrong, array.indices, np.array(bad, dtype=np.int64), first_line)
    return values.take(array.indices)


def _tidy(texts: pa.Array, null_words: pa.Array) -> pa.Array:
    """Composed (NFC), without blanks around and control characters; null words become empty."""
    if not compute.all(compute.string_is_ascii(texts)).as_py():
        texts = compute.utf8_normalize(texts, "NFC")
    texts = compute.utf8_trim_whitespace(texts)
    texts = compute.if_else(compute.is_in(texts, null_words), None, texts)
    return compute.replace_substring_regex(texts, r"[\x00-\x1f]", "")


def _at_once(column: IngestColumn, texts: pa.Array) -> pa.Array | None:
    """Arrow's own cast, where it takes every text and means by it what we mean."""
    if column.format is not None or column.type == "BOOLEAN":
        return None
    try:
        values = texts.cast(ARROW[column.type])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    strange = column.type == "DOUBLE" and compute.any(compute.invert(compute.is_finite(values))).as_py()
    return None if strange else values


def _one_by_one(column: IngestColumn, texts: pa.Array) -> tuple[pa.Array, list[int]]:
    parse = _parser(column)
    words = texts.to_pylist()
    values = [None if word is None else parse(word) for word in words]
    bad = [
        i for i, (word, value) in enumerate(zip(words, values, strict=True)) if value is None and word is not None
    ]
    return pa.array(values, ARROW[column.type]), bad


def _note(wrong: Wrong, indices: pa.Array, bad: Ints, first_line: int) -> None:
    if not len(bad):
        return
    places = np.flatnonzero(np.isin(indices.fill_null(-1).to_numpy(zero_copy_only=False), bad))
    wrong.cells += len(places)
    room = _LINES_NAMED - len(wrong.lines)
    wrong.lines = wrong.lines + [int(first_line + p) for p in places[: max(room, 0)]]


def _parser(column: IngestColumn) -> Callable[[str], Any]:
    if column.type == "DATE":
        return lambda text: _instant(text, column.format, date=True)
    if column.type == "TIMESTAMP":
        return lambda text: _instant(text, column.format, date=False)
    return _PARSERS[column.type]


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
    "BIGINT": _whole, "DOUBLE": _number, "BOOLEAN": _boolean,
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
