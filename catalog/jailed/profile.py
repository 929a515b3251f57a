"""What one column of a sample is: its type, how many values, which of our hierarchies knows them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints
from catalog.guess.hints import Hint, hint_of
from catalog.jailed.cells import Cells
from catalog.jailed.numbers import Style
from catalog.reading import STORED_TYPE, Decimal, Reading, TextType
from catalog.transforms import UNMAPPED, Transform, apply, shipped_hierarchy
from catalog.wire import IngestColumn

HIERARCHIES = (
    Transform(hierarchy="vn_province", level=2), Transform(hierarchy="icd10", level=3),
    Transform(hierarchy="sex", level=1),
)  # fmt: skip
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
_CENTURY = 1930
_CODE = re.compile(r"[A-Z]\d\d(\.?\d|\.\d\d)?[*†+]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Profile:
    """`values` of the type (text as a dictionary); `codes`: a number a row, −1 where it is empty."""

    name: str
    type: TextType
    values: pa.Array
    codes: Ints
    distinct: int
    hint: Hint | None
    decimal: Decimal | None
    """The mark that its cells leave no doubt of."""
    decimal_unclear: bool
    decimals: tuple[Decimal, ...]
    """Where that is so: the marks under which each of its cells is a number."""
    two_digit_years: bool
    rounded: bool
    """Whether a spreadsheet wrote long numbers as 7.9201E+10: their last digits are lost."""
    hierarchy: Transform | None
    spellings: int
    """How many of its texts differ from another by capitals, blanks and signs alone."""
    almost_dates: bool
    """Text only because a few of its days do not exist."""

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


def profile(
    name: str, column: pa.ChunkedArray, null_words: pa.Array, decimal: Decimal | Literal[""] | None = None
) -> Profile:
    """Of a column of texts, or of one that is typed already. `decimal`: the mark, where it is known."""
    array = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(array, pa.ChunkedArray):
        array = array.unify_dictionaries().combine_chunks()
    text = Cells(IngestColumn(name=name, type="VARCHAR", line=0), null_words, Reading())
    coded, _ = text.as_text(array)
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    used = np.unique(codes[codes >= 0])
    words = coded.dictionary.take(pa.array(used))
    kind, style = _type_of(words, decimal or None)
    unclear = style is not None and style.is_unclear
    values, _ = _cells(kind, decimal or None).convert(coded)
    hint = hint_of(name)
    return Profile(
        name=name, type=kind, values=values, codes=codes, distinct=len(used), hint=hint,
        decimal=_mark(style), decimal_unclear=unclear, decimals=_decimals(words, kind) if unclear else (),
        two_digit_years=kind in ("date", "timestamp") and _has_short_years(words),
        rounded=any(map(_ROUNDED.fullmatch, words.to_pylist())),
        hierarchy=_hierarchy(words, hint) if kind == "text" else None,
        spellings=_spellings(words) if kind == "text" else 0,
        almost_dates=kind == "text" and _almost_dates(words),
    )  # fmt: skip


def _almost_dates(words: pa.Array) -> bool:
    """Days but for one in twenty that is none, as 31 February."""
    if len(words) < _ENOUGH_ROWS:
        return False
    _, wrong = _cells("date").convert(words.dictionary_encode())
    return len(wrong) * 20 <= len(words)


def _cells(kind: TextType, decimal: Decimal | None = None) -> Cells:
    nothing = pa.array([""], pa.string())
    reading = Reading(century_from=_CENTURY, decimal=decimal)
    return Cells(IngestColumn(name="", type=STORED_TYPE[kind], line=0), nothing, reading)


def _type_of(words: pa.Array, decimal: Decimal | None) -> tuple[TextType, Style | None]:
    """The narrowest type that takes every word; of numbers how they are written. Codes with zeros stay text."""
    if not len(words):
        return "text", None
    few = words.slice(0, 1000).to_pylist()
    for kind in _TYPES:
        if kind == "boolean" and not {w.casefold() for w in few} <= _TRUTHS:
            continue
        if kind == "date" and any(":" in w for w in few):
            continue
        if kind in ("integer", "number") and any(map(_LEADING_ZERO.match, few)) and not any("," in w for w in few):
            continue
        cells = _cells(kind, decimal)
        first, wrong = cells.convert(words.slice(0, 1000).dictionary_encode())
        if len(wrong) or first.null_count:
            continue
        _, wrong = cells.convert(words.dictionary_encode())
        if not len(wrong):
            return kind, cells.style if kind in ("integer", "number") else None
    return "text", None


def _mark(style: Style | None) -> Decimal | None:
    if style is None or style.is_unclear or style.declared:
        return None
    return "comma" if style.comma else "point" if style.point else None


def _decimals(words: pa.Array, kind: TextType) -> tuple[Decimal, ...]:
    column = IngestColumn(name="", type=STORED_TYPE[kind], line=0)
    coded, none = words.dictionary_encode(), pa.array([""], pa.string())
    return tuple(
        mark for mark in get_args(Decimal) if not len(Cells(column, none, Reading(decimal=mark)).convert(coded)[1])
    )


def _has_short_years(words: pa.Array) -> bool:
    return any(_SHORT_YEAR.fullmatch(word) for word in words.slice(0, 1000).to_pylist())


def _hierarchy(words: pa.Array, hint: Hint | None) -> Transform | None:
    """The first of ours that knows every word; of codes only where they are written so, or called an illness."""
    if not 0 < len(words) <= _MOST_MAPPED:
        return None
    texts = words.to_pylist()
    codes = bool(hint and hint.en == "Illness") or all(map(_CODE.fullmatch, texts))
    able = (known for known in HIERARCHIES if codes or known.hierarchy != "icd10")
    return next((known for known in able if _folds(apply(known, texts, TABLES), known)), None)


def _folds(labels: list[Any], known: Transform) -> bool:
    """Whether it knows all; of the sexes also whether two words are one, for else there is nothing to mend."""
    return UNMAPPED not in labels and (known.hierarchy != "sex" or len(set(labels)) < len(labels))


def _spellings(words: pa.Array) -> int:
    if len(words) > _MOST_MAPPED:
        return 0
    letters = [re.sub(r"[\W_]+", "", word).casefold() for word in words.to_pylist()]
    return len(letters) - len(set(letters)) if all(letters) else 0
