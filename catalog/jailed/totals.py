"""Rows that sum up others or close the sheet, told by their own words: such a row is nobody's."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from pyarrow import compute

from catalog.cohorts import Ints
from catalog.jailed.composed import composed

LABEL_COLUMNS = 3
"""The first ones of a file: in one of them an office writes what a row is, where it is no record."""
_OF = "nhóm|tổ|phòng|ban|khoa|trang|quận|huyện|xã|phường|tỉnh|tháng|quý|năm"
_SAID = re.compile(
    r"(?i)^\s*(?:"
    r"(?:tổng(?:\s+(?:cộng|số))?|cộng(?:\s+(?:tổng|dồn))?|lũy\s+kế|(?:grand|sub)?[ -]?total|sum)\s*[:.…]*"
    r"|tổng\s+(?:cộng|số)\b.{0,60}"
    rf"|(?:tổng|cộng)\s+(?:{_OF})\b.{{0,60}}"
    r"|người\s+lập(?:\s+(?:biểu|bảng|phiếu))?\s*[:.…]*"
    r"|(?:[^,]{2,40},\s*)?ngày\s+[\d.…]{1,8}\s+tháng\s+[\d.…]{1,8}\s+năm\s+[\d.…]{2,12}"
    r")\s*$"
)


class Totals:
    """Of one file: which of its rows, counted from 0 among those that are read, are no records."""

    def __init__(self, *, numbered: bool = False) -> None:
        """`numbered`: the first row only numbers the columns."""
        self.read = 0
        self.found: list[Ints] = [np.zeros(1, dtype=np.int64)] if numbered else []

    def look(self, labels: Sequence[pa.DictionaryArray]) -> None:
        """The next rows, by what their first cells say."""
        places = [sums_up(cells) for cells in labels]
        if any(map(len, places)):
            self.found.append(np.unique(np.concatenate(places)) + self.read)
        self.read += len(labels[0]) if labels else 0

    def within(self, begin: int, count: int) -> Ints:
        """Those among `count` rows from `begin`, counted from there."""
        known = np.concatenate([*self.found, np.empty(0, dtype=np.int64)])
        inside: Ints = known[(known >= begin) & (known < begin + count)] - begin
        return inside


def sums_up(cells: pa.DictionaryArray) -> Ints:
    """Places of cells that say a total, or a date and signature."""
    said = compute.match_substring_regex(composed(cells.dictionary), _SAID.pattern)
    words = np.flatnonzero(said.fill_null(fill_value=False).to_numpy(zero_copy_only=False))
    if not len(words):
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(np.isin(cells.indices.fill_null(-1).to_numpy(zero_copy_only=False), words))
