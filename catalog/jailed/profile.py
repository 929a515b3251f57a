"""What one column of a sample is: its type, how many values, which of our hierarchies knows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints
from catalog.guess.hints import Hint, hint_of
from catalog.jailed.cells import Cells
from catalog.jailed.numbers import Decimal
from catalog.reading import STORED_TYPE, Reading, TextType
from catalog.transforms import UNMAPPED, Transform, apply, shipped_hierarchy
from catalog.wire import IngestColumn

HIERARCHIES = (Transform(hierarchy="vn_province", level=2), Transform(hierarchy="icd10", level=3))
TABLES = {known.hierarchy or "": shipped_hierarchy(known.hierarchy or "") for known in HIERARCHIES}
"""Their texts: read when this is imported, for in the jail nothing can be opened afterwards."""
_MOST_MAPPED = 20_000
_ENOUGH_ROWS = 20
_MOSTLY = 0.99
_TYPES: tuple[TextType, ...] = ("integer", "number", "boolean", "date", "timestamp")
_LEADING_ZERO = re.compile(r"[+-]?0\d")
_SHORT_YEAR = re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{2}( .*)?")
_ROUNDED = re.compile(r"\d[.,]\d+[eE]\+(0?9|1\d)")
_TRUTHS = frozenset({"true", "false", "t", "f", "yes", "no", "y", "n", "có", "không", "x"})
_CENTURY = Reading(century_from=1930)


@dataclass(frozen=True, slots=True)
class Profile:
    """`values` of the type (text as a dictionary); `codes`: a number a row, −1 where it is empty."""

    name: str
    type: TextType
    values: pa.Array
    codes: Ints
    distinct: int
    hint: Hint | None
    decimal_unclear: bool
    decimals: tuple[Decimal, ...]
    """Where that is so: the marks under which each of its cells is a number."""
    two_digit_years: bool
    rounded: bool
    """Whether a spreadsheet wrote long numbers as 7.9201E+10: their last digits are lost."""
    hierarchy: Transform | None

    @property
    def rows(self) -> int:
        return len(self.codes)

    @property
    def filled(self) -> int:
        return int((self.codes >= 0).sum())

    @property
    def is_key(self) -> bool:
        """Whether it could name a person: always there, never twice."""
        return self.type in ("text", "integer") and self.distinct == self.rows == self.filled

    @property
    def counts_rows(self) -> bool:
        """Whether it only numbers the rows: a person's number is not the next one of the row before."""
        if self.type != "integer" or self.rows < _ENOUGH_ROWS or self.filled < self.rows:
            return False
        return bool((np.diff(self.values.to_numpy()) == 1).mean() > _MOSTLY)


def profile(name: str, column: pa.ChunkedArray, null_words: pa.Array) -> Profile:
    """Of a column of texts, or of one that is typed already."""
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries().combine_chunks()
    text = Cells(IngestColumn(name=name, type="VARCHAR", line=0), null_words, Reading())
    coded, _ = text.as_text(array)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    used = np.unique(codes[codes >= 0])
    words = coded.dictionary.take(pa.array(used))
    kind, unclear = _type_of(words)
    values, _ = _cells(kind).convert(coded)
    return Profile(
        name=name, type=kind, values=values, codes=codes, distinct=len(used), hint=hint_of(name),
        decimal_unclear=unclear, decimals=_decimals(words, kind) if unclear else (),
        two_digit_years=kind in ("date", "timestamp") and _has_short_years(words),
        rounded=any(map(_ROUNDED.fullmatch, words.to_pylist())),
        hierarchy=_hierarchy(words) if kind == "text" else None,
    )  # fmt: skip


def _cells(kind: TextType) -> Cells:
    nothing = pa.array([""], pa.string())
    return Cells(IngestColumn(name="", type=STORED_TYPE[kind], line=0), nothing, _CENTURY)


def _type_of(words: pa.Array) -> tuple[TextType, bool]:
    """The narrowest type that takes every word; whether its decimals are unclear. Codes with zeros stay text."""
    if not len(words):
        return "text", False
    few = words.slice(0, 1000).to_pylist()
    for kind in _TYPES:
        if kind == "boolean" and not {w.casefold() for w in few} <= _TRUTHS:
            continue
        if kind == "date" and any(":" in w for w in few):
            continue
        if kind in ("integer", "number") and any(map(_LEADING_ZERO.match, few)) and not any("," in w for w in few):
            continue
        cells = _cells(kind)
        first, wrong = cells.convert(words.slice(0, 1000).dictionary_encode())
        if len(wrong) or first.null_count:
            continue
        _, wrong = cells.convert(words.dictionary_encode())
        if not len(wrong):
            return kind, cells.style.is_unclear
    return "text", False


def _decimals(words: pa.Array, kind: TextType) -> tuple[Decimal, ...]:
    column = IngestColumn(name="", type=STORED_TYPE[kind], line=0)
    coded, none = words.dictionary_encode(), pa.array([""], pa.string())
    return tuple(
        mark for mark in get_args(Decimal) if not len(Cells(column, none, Reading(decimal=mark)).convert(coded)[1])
    )


def _has_short_years(words: pa.Array) -> bool:
    return any(_SHORT_YEAR.fullmatch(word) for word in words.slice(0, 1000).to_pylist())


def _hierarchy(words: pa.Array) -> Transform | None:
    """The first of ours that knows every word."""
    if not 0 < len(words) <= _MOST_MAPPED:
        return None
    texts = words.to_pylist()
    return next((known for known in HIERARCHIES if UNMAPPED not in apply(known, texts, TABLES)), None)
