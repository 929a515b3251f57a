"""Hierarchies: what a value is called at each coarser level. Written as CSV, one line a value or a range of them.

Hà Nội,Đồng bằng sông Hồng,Miền Bắc        a value as it stands
0..4,0-4,0-9                               numbers from 0 up to and with 4 (..4 and 80.. are open)
A00*..A09*,{3},A00-A09,A00-B99             codes that begin so; {3}: the code's first three characters
*,{month},{quarter},{year}                 any; of dates {month} {quarter} {year} {five_years} {decade}
"""

from __future__ import annotations

import bisect
import csv
import datetime
import io
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from catalog.search import fold
from catalog.spellings import PROVINCES

_RANGE = re.compile(r"(-?\d+(?:\.\d+)?)?\.\.(-?\d+(?:\.\d+)?)?")
_CODES = re.compile(r"([^*]*)\*(?:\.\.([^*]+)\*)?")
_TEMPLATE = re.compile(r"\{(\w+)\}")
_UNLIKE: Final = frozenset({"dn"})
"""Đà Nẵng, or Đồng Nai."""

TRUNCATIONS: Final[dict[str, Callable[[Any], str]]] = {
    "month": lambda day: f"{day.year:04d}-{day.month:02d}",
    "quarter": lambda day: f"{day.year:04d}-Q{(day.month + 2) // 3}",
    "year": lambda day: f"{day.year:04d}",
    "five_years": lambda day: f"{day.year // 5 * 5:04d}-{day.year // 5 * 5 + 4:04d}",
    "decade": lambda day: f"{day.year // 10 * 10:04d}-{day.year // 10 * 10 + 9:04d}",
}
"""Parts of a date, finest first."""


class NotATree(ValueError):
    """`label` (of `level`; 0: a value) stands under `parent` and, in `line`, under `other` as well."""

    def __init__(self, *, line: int, level: int, label: str, parent: str, other: str) -> None:
        super().__init__(f"line {line}: {label}")
        self.params = {"line": line, "level": level, "label": label, "parent": parent, "other": other}


@dataclass(frozen=True, slots=True)
class _Spans:
    """Ranges that do not overlap, ascending."""

    lows: list[Any] = field(default_factory=list)
    highs: list[Any] = field(default_factory=list)
    labels: list[tuple[str, ...]] = field(default_factory=list)

    def find(self, value: Any) -> tuple[str, ...] | None:
        place = bisect.bisect_right(self.lows, value) - 1
        return self.labels[place] if place >= 0 and value <= self.highs[place] else None

    def add(self, low: Any, high: Any, labels: tuple[str, ...], line: int, named: str) -> None:
        """Raises NotATree where it overlaps another."""
        place = bisect.bisect_right(self.lows, low)
        for near in (place - 1, place):
            if 0 <= near < len(self.lows) and low <= self.highs[near] and self.lows[near] <= high:
                raise NotATree(line=line, level=0, label=named, parent=self.labels[near][0], other=labels[0])
        self.lows.insert(place, low)
        self.highs.insert(place, high)
        self.labels.insert(place, labels)


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """`levels`: how many every line has above its value."""

    levels: int
    exact: dict[str, tuple[str, ...]]
    numbers: _Spans
    codes: dict[int, _Spans]
    loose: dict[str, tuple[str, ...] | None]
    """What no line says to the letter, by its letters alone; None where two lines have the same ones."""

    def at(self, value: Any, level: int) -> str | None:
        """The label of a value (level from 1); None where no line speaks of it."""
        text = str(value)
        labels = self.exact.get(text)
        if labels is None and isinstance(value, int | float) and not isinstance(value, bool):
            labels = self.numbers.find(math.floor(value) if math.isfinite(value) else value)
        if labels is None:
            found = (self.codes[length].find(text[:length]) for length in self.codes if len(text) >= length)
            labels = next((f for f in found if f is not None), None)
        if labels is None:
            letters = _letters(text)
            labels = self.loose.get(letters) or self.exact.get(_SPELT.get(letters, ""))
        return None if labels is None else _filled(labels[level - 1], value, text)


def _filled(label: str, value: Any, text: str) -> str | None:
    template = _TEMPLATE.fullmatch(label)
    if template is None:
        return label
    if template[1].isdigit():
        return text[: int(template[1])]
    return TRUNCATIONS[template[1]](value) if isinstance(value, datetime.date) else None


@lru_cache(maxsize=32)
def read_hierarchy(text: str) -> Hierarchy:
    """Raises NotATree with the line and what stands twice."""
    lines = [
        (number, [cell.strip() for cell in line])
        for number, line in enumerate(csv.reader(io.StringIO(text)), 1)
        if any(cell.strip() for cell in line)
    ]
    read = Hierarchy(min((len(cells) - 1 for _, cells in lines), default=0), {}, _Spans(), {}, {})
    parents: dict[tuple[int, str], str] = {}
    for number, cells in lines:
        labels = tuple(cells[1:])
        _require_order(number, labels)
        _require_one_parent(number, labels, parents)
        if labels:
            _add(read, number, cells[0], labels)
    for length in sorted(read.codes, reverse=True):
        read.codes[length] = read.codes.pop(length)
    return read


def _require_one_parent(line: int, labels: tuple[str, ...], parents: dict[tuple[int, str], str]) -> None:
    for level, (label, parent) in enumerate(pairwise(labels), 1):
        if _TEMPLATE.fullmatch(label):
            continue
        before = parents.setdefault((level, label), parent)
        if before != parent:
            raise NotATree(line=line, level=level, label=label, parent=before, other=parent)


def _require_order(line: int, labels: tuple[str, ...]) -> None:
    """Templates come first, the longer before the shorter: else one label would stand under several."""
    ranks = [_rank(label) for label in labels]
    for level, (rank, after) in enumerate(pairwise(ranks), 1):
        if after <= rank and after < 0:
            raise NotATree(line=line, level=level, label=labels[level - 1], parent=labels[level], other="")
    for level, (label, rank) in enumerate(zip(labels, ranks, strict=True), 1):
        if math.isnan(rank):
            raise NotATree(line=line, level=level, label=label, parent="", other="")


def _rank(label: str) -> float:
    """Negative for a template, the coarser the greater; NaN for one that is not known."""
    template = _TEMPLATE.fullmatch(label)
    if template is None:
        return 0.0
    if template[1].isdigit():
        return -float(template[1])
    names = list(TRUNCATIONS)
    return float(names.index(template[1]) - len(names)) if template[1] in names else math.nan


def _add(read: Hierarchy, line: int, value: str, labels: tuple[str, ...]) -> None:
    numbers, codes = _RANGE.fullmatch(value), _CODES.fullmatch(value)
    if numbers is not None:
        low, high = (
            float(n) if n else end for n, end in zip(numbers.groups(), (-math.inf, math.inf), strict=True)
        )
        read.numbers.add(low, high, labels, line, value)
    elif codes is not None:
        first, last = codes[1], codes[2] or codes[1]
        if len(first) != len(last) or any(n < len(first) for n in _lengths(labels)):
            raise NotATree(line=line, level=0, label=value, parent=first, other=last)
        read.codes.setdefault(len(first), _Spans()).add(first, last, labels, line, value)
    elif read.exact.setdefault(value, labels) == labels:
        if (letters := _letters(value)) and read.loose.setdefault(letters, labels) != labels:
            read.loose[letters] = None
    else:
        before = read.exact[value]
        level = next(i for i, (a, b) in enumerate(zip(before, labels, strict=False)) if a != b)
        raise NotATree(line=line, level=0, label=value, parent=before[level], other=labels[level])


def _letters(text: str) -> str:
    """Without capitals, diacritics, blanks and signs: HÀ NỘI and Ha-Noi are one. "" for codes and numbers."""
    return "" if any(map(str.isdigit, text)) else re.sub(r"[^a-z]+", "", fold(text))


_SPELT: Final = {
    letters: name
    for name, spellings in PROVINCES.items()
    for letters in map(_letters, spellings.split("|"))
    if letters not in _UNLIKE
}


def _lengths(labels: tuple[str, ...]) -> Iterator[int]:
    for label in labels:
        template = _TEMPLATE.fullmatch(label)
        if template is not None and template[1].isdigit():
            yield int(template[1])
