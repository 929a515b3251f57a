"""Texts become typed values, once a distinct text; what cannot is told by its place, never shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import compute

from catalog.cohorts import Ints
from catalog.jailed.composed import bytes_of, composed
from catalog.jailed.instants import instant
from catalog.jailed.numbers import Style, points
from catalog.reading import Reading
from catalog.wire import IngestColumn

ARROW: dict[str, pa.DataType] = {
    "VARCHAR": pa.string(), "BIGINT": pa.int64(), "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(), "TIMESTAMP": pa.timestamp("us"),
}  # fmt: skip
_TRUE = frozenset({"true", "t", "yes", "y", "1", "x", "có", "co", "đúng", "dung"})
_FALSE = frozenset({"false", "f", "no", "n", "0", "", "không", "khong", "sai"})
_MAX_TEXT_BYTES = 4_000
_REMEMBERED = 65_536
"""Texts of a column whose value is kept from batch to batch: more than there are days in a century."""
_TIMES = (pa.types.is_date, lambda kind: pa.types.is_timestamp(kind) and kind.tz is None)
_TAKEN: dict[str, tuple[Callable[[pa.DataType], bool], ...]] = {
    "BIGINT": (pa.types.is_integer,), "BOOLEAN": (pa.types.is_boolean,), "DATE": (pa.types.is_date,),
    "DOUBLE": (pa.types.is_integer, pa.types.is_floating), "TIMESTAMP": _TIMES,
}  # fmt: skip
"""Which types of a file are read as they are."""


class Cells:
    """Reads the cells of one column, batch by batch. `style`: how it was seen to write numbers."""

    def __init__(self, column: IngestColumn, null_words: pa.Array, reading: Reading) -> None:
        self.column, self.null_words, self.reading = column, null_words, reading
        self.style = Style(reading.decimal)
        self.has_numbers_for_null = any(any(map(str.isdigit, word)) for word in null_words.to_pylist())
        self.parse = lru_cache(maxsize=_REMEMBERED)(self._parser())

    @property
    def reason(self) -> str:
        """Why a cell of this column is rejected."""
        return "ingest.cell_length" if self.column.type == "VARCHAR" else "ingest.cell_type"

    def convert(self, array: pa.Array) -> tuple[pa.Array, Ints]:
        """Dictionary-encoded text, or what is typed already, as the column's type, and the places that are not.

        Text stays dictionary-encoded.
        """
        typed = False
        if not pa.types.is_dictionary(array.type):
            values = self._as_it_is(array)
            if values is not None:
                return values, np.empty(0, dtype=np.int64)
            typed, array = pa.types.is_floating(array.type), written(array)
        texts = _tidy(array.dictionary, self.null_words)
        if self.column.type == "VARCHAR":
            too_long = compute.greater(compute.binary_length(texts), _MAX_TEXT_BYTES).fill_null(False)
            bad = np.flatnonzero(too_long.to_numpy(zero_copy_only=False))
            return _coded(array, texts), _places(array.indices, bad)
        values = self._at_once(texts, typed=typed)
        bad = np.empty(0, dtype=np.int64)
        if values is None:
            values, bad = self._one_by_one(texts)
        return values.take(array.indices), _places(array.indices, bad)

    def as_text(self, array: pa.Array) -> tuple[pa.DictionaryArray, Ints]:
        """Of a column of text: what is typed already as it would be written, and places that are too long."""
        return self.convert(written(array))

    def _as_it_is(self, array: pa.Array) -> pa.Array | None:
        """Typed values, cast where that loses nothing and no null word could be one of them."""
        if self.has_numbers_for_null or self.column.format is not None:
            return None
        if not any(is_kind(array.type) for is_kind in _TAKEN.get(self.column.type, ())):
            return None
        try:
            values = array.cast(ARROW[self.column.type])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return None
        if pa.types.is_floating(values.type):
            return compute.if_else(compute.is_finite(values), values, None)
        return values

    def _at_once(self, texts: pa.Array, *, typed: bool) -> pa.Array | None:
        """Arrow's own cast, where it takes every text and means by it what we mean. `typed`: it wrote them."""
        kind = self.column.type
        if self.column.format is not None or kind == "BOOLEAN":
            return None
        if kind in ("BIGINT", "DOUBLE") and self.reading.decimal == "comma" and not typed:
            return None
        try:
            values = texts.cast(ARROW[kind])
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return None
        if kind == "DOUBLE":
            if len(pointed := points(texts)):
                self.style.saw_points(sure=typed or bool(compute.any(pointed).as_py()))
            return values if compute.all(compute.is_finite(values), min_count=0).as_py() else None
        if kind in ("DATE", "TIMESTAMP") and compute.any(compute.starts_with(texts, "0")).as_py():
            return None
        return values

    def _one_by_one(self, texts: pa.Array) -> tuple[pa.Array, Ints]:
        words = texts.to_pylist()
        values = [None if word is None else self.parse(word) for word in words]
        bad = [
            i
            for i, (word, value) in enumerate(zip(words, values, strict=True))
            if value is None and word is not None
        ]
        return pa.array(values, ARROW[self.column.type]), np.array(bad, dtype=np.int64)

    def _parser(self) -> Callable[[str], Any]:
        kind, format_, century = self.column.type, self.column.format, self.reading.century_from
        if kind in ("DATE", "TIMESTAMP"):
            return lambda text: instant(text, format_, date=kind == "DATE", century_from=century)
        if kind == "BOOLEAN":
            return _boolean
        return self.style.whole if kind == "BIGINT" else self.style.number


def _places(indices: pa.Array, bad: Ints) -> Ints:
    if not len(bad):
        return bad
    return np.flatnonzero(np.isin(indices.fill_null(-1).to_numpy(zero_copy_only=False), bad))


def _coded(array: pa.DictionaryArray, texts: pa.Array) -> pa.DictionaryArray:
    """The array with these texts; those that have become equal are one again."""
    if not texts.null_count and texts.equals(array.dictionary):
        return array
    encoded = texts.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.take(array.indices), encoded.dictionary)


def _tidy(texts: pa.Array, null_words: pa.Array) -> pa.Array:
    """Composed (NFC), without blanks around and control characters; null words become empty."""
    texts = compute.utf8_trim_whitespace(composed(texts))
    texts = compute.if_else(compute.is_in(texts, null_words), None, texts)
    return compute.replace_substring_regex(texts, r"[\x00-\x1f]", "") if _has_control(texts) else texts


def _has_control(texts: pa.Array) -> bool:
    return bool((bytes_of(texts) < 32).any())


def written(array: pa.Array) -> pa.DictionaryArray:
    """What is typed as a dictionary of the texts that a CSV would have; such a dictionary as it is."""
    if pa.types.is_dictionary(array.type):
        return array
    if pa.types.is_floating(array.type):  # 3.0 must still be read where whole numbers are meant
        array = compute.if_else(compute.is_finite(array), array, None)
    return array.cast(pa.string()).dictionary_encode()


def _boolean(text: str) -> bool | None:
    word = text.casefold()
    return True if word in _TRUE else False if word in _FALSE else None
