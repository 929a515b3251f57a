"""Rows that sum up others, head a part of a sheet or close it, told by their own words: such a row is nobody's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from catalog.cohorts import Ints
from catalog.jailed.composed import composed

Flags = npt.NDArray[np.bool_]
LABEL_COLUMNS = 3
"""The first ones of a file: in one of them an office writes what a row is, where it is no record."""
_OF = "nhóm|tổ|phòng|ban|khoa|trang|quận|huyện|xã|phường|tỉnh|tháng|quý|năm"
_PHRASE = r"^\D*\pL\D*$|^[^\pL]*(?:\pL{2,}[^\pL]+){2,}"
"""Words, as no number of a person or a row is: without digits, or several of them."""
_FEW_FILLED, _LEAST_COLUMNS = 3, 4
"""Of so many columns one may be filled in a row that heads a part of the sheet."""
_SUMS = r"(?i)^\s*(?:tổng|cộng|lũy\s+kế)[^\pL]"
_SAID = (
    r"(?i)^\s*(?:"
    r"(?:tổng(?:\s+(?:cộng|số))?|cộng(?:\s+(?:tổng|dồn))?|lũy\s+kế|(?:grand|sub)?[ -]?total|sum)\s*[:.…]*"
    rf"|(?:tổng|cộng)\s+(?:cộng|số|{_OF})(?:[^\pL].{{0,60}})?"
    r"|người\s+lập(?:\s+(?:biểu|bảng|phiếu))?\s*[:.…]*"
    r"|\(?(?:nguồn(?:\s+số\s+liệu)?|source|ghi\s+chú|notes?|bằng\s+chữ|nơi\s+nhận)\s*:.*"
    r"|\(?ký(?:\s+tên)?\s*,.{0,60}\)?"
    r"|(?:[^,]{2,40},\s*)?ngày\s+[\d.…]{1,8}\s+tháng\s+[\d.…]{1,8}\s+năm\s+[\d.…]{2,12}"
    r")\s*$"
)


class Totals:
    """Of one file: which of its rows, counted from 0 among those that are read, are no records."""

    def __init__(self, *, numbered: bool = False) -> None:
        """`numbered`: the first row only numbers the columns."""
        self.read = 0
        self.found: list[Ints] = [np.zeros(1, dtype=np.int64)] if numbered else []

    def look(self, labels: Sequence[pa.DictionaryArray], columns: Sequence[pa.DictionaryArray]) -> None:
        """The next rows, by what their first cells say, and by all `columns` that are read, these among them."""
        places = [sums_up(cells) for cells in labels]
        if len(columns) >= _LEAST_COLUMNS and 2 * sum(map(_is_full, columns)) <= len(columns):
            places.append(_headings(labels, columns, known=places))
        if any(map(len, places)):
            self.found.append(np.unique(np.concatenate(places)) + self.read)
        self.read += len(labels[0]) if labels else 0

    def within(self, begin: int, count: int) -> Ints:
        """Those among `count` rows from `begin`, counted from there."""
        known = np.concatenate([*self.found, np.empty(0, dtype=np.int64)])
        inside: Ints = known[(known >= begin) & (known < begin + count)] - begin
        return inside


def _is_full(cells: pa.DictionaryArray) -> bool:
    """Whether no row lacks it: where most columns are so, no row is half empty."""
    return not cells.indices.null_count and bool(_holds(cells).all())


def _headings(
    labels: Sequence[pa.DictionaryArray], columns: Sequence[pa.DictionaryArray], *, known: Sequence[Ints]
) -> Ints:
    """Rows of a few words: the name of a part, a note, who signed; and half empty ones that begin as sums do.

    `known` to be none already. A value may be all that there is of a person: fuller rows have it too, and no
    heading stands beside.
    """
    filled = np.stack([_where(cells, _holds(cells)) for cells in columns])
    count = filled.sum(axis=0)
    few = (count > 0) & (count <= max(len(columns) // _FEW_FILLED, 1))
    wordy = (count > 0) & (2 * count <= len(columns))
    if not wordy.any():
        return np.empty(0, dtype=np.int64)
    said = np.zeros(len(wordy), dtype=np.bool_)
    said[np.concatenate(known)] = True
    sums = wordy & np.stack([_where(cells, _said(cells, _SUMS)) for cells in labels]).any(axis=0)
    own = few.copy()
    for cells, here in zip(columns, filled, strict=True):
        elsewhere = np.zeros(len(cells.dictionary), dtype=np.bool_)
        elsewhere[_codes(cells)[here & ~few]] = True
        wordy &= ~here | _where(cells, _said(cells, _PHRASE))
        own &= ~here | ~_where(cells, elsewhere)
    own = (own & wordy) | said | sums
    together = np.cumsum(~(wordy | said | sums))  # the same for rows that follow each other
    return np.flatnonzero(sums | (wordy & np.isin(together, together[own])))


def _holds(cells: pa.DictionaryArray) -> Flags:
    """Which of the column's texts hold anything."""
    lengths: Ints = compute.binary_length(cells.dictionary).to_numpy(zero_copy_only=False)
    return lengths > 0


def _said(cells: pa.DictionaryArray, pattern: str) -> Flags:
    """Of which of the column's texts it holds."""
    said = compute.match_substring_regex(cells.dictionary, pattern).fill_null(fill_value=False)
    flags: Flags = said.to_numpy(zero_copy_only=False).astype(np.bool_)
    return flags


def _where(cells: pa.DictionaryArray, said: Flags) -> Flags:
    """Which cells are one of these texts."""
    return np.append(said, np.False_)[_codes(cells)]


def _codes(cells: pa.DictionaryArray) -> Ints:
    """Where each cell's text stands; empty: -1."""
    codes: Ints = cells.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return codes


def sums_up(cells: pa.DictionaryArray) -> Ints:
    """Places of cells that say a total, or a date and signature."""
    said = compute.match_substring_regex(composed(cells.dictionary), _SAID)
    words = np.flatnonzero(said.fill_null(fill_value=False).to_numpy(zero_copy_only=False))
    if not len(words):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.isin(cells.indices.fill_null(-1).to_numpy(zero_copy_only=False), words))
