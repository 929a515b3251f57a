"""What stands over a sheet's records: titles, a header of one to three rows, a row that numbers the columns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from catalog.jailed.header import found_in, is_name, is_numbering, tidy

_MOST_HEADER_ROWS = 3
_BETWEEN = " – "
_LETTER = re.compile(r"[^\W\d_]")
_FEW = 0.2
Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Head:
    """`above`: rows over the first record; the last `depth` of them are the header.

    `names`: of each column, where the header has several rows "group – name"; `numbered`: whether the first of the
    rows below only numbers the columns.
    """

    above: int
    depth: int
    names: tuple[str, ...]
    numbered: bool


def head_of(rows: Rows, wanted: Sequence[str]) -> Head:
    """Of the first rows of a sheet, at least one. The header names most of the wanted columns; where none are
    wanted, it is the first row that fills more than half as many cells as the widest one, if it holds names, with
    the rows of groups over it and of names under it. Else the first row is.
    """
    width = max(map(len, rows))
    told = [[*map(tidy, row), *[""] * (width - len(row))] for row in rows]
    depths = [_depth(told[place:]) for place in range(len(told))]
    first, depth = _naming(told, depths, wanted) if wanted else _widest(told, depths)
    above = first + depth
    names = _joined(told[first:above])[: max(map(len, rows[first:above]))]
    numbered = any(map(is_numbering, told[above : above + 1]))
    return Head(above=above, depth=depth, names=tuple(names), numbered=numbered)


def _naming(told: Rows, depths: Sequence[int], wanted: Sequence[str]) -> tuple[int, int]:
    """First row and depth. One row less would be a record: where both name as many, the deeper is it."""
    able = [(place, depth) for place, most in enumerate(depths) for depth in sorted({most, 1}, reverse=True)]
    found = {each: found_in(_joined(told[each[0] : sum(each)]), wanted) for each in able}
    most = max(able, key=lambda each: (found[each], each[1] > 1, -each[0]))
    return most if found[most] else (0, 1)


def _widest(told: Rows, depths: Sequence[int]) -> tuple[int, int]:
    filled = [[name for name in names if name] for names in told]
    widest = max(map(len, filled))
    first = next(place for place, names in enumerate(filled) if 2 * len(names) > widest or not widest)
    begin = max(first - _MOST_HEADER_ROWS + 1, 0)
    several = [place for place in range(begin, first + 1) if 1 < depths[place] > first - place]
    if several:
        place = max(several, key=lambda p: (sum(map(bool, _joined(told[p : p + depths[p]]))), p))
        return place, depths[place]
    return (first if all(map(is_name, filled[first])) and any(map(_LETTER.search, filled[first])) else 0), 1


def _depth(told: Rows) -> int:
    """Over how many rows the header goes, if it begins at the first of these."""
    depth = 1
    while depth < min(_MOST_HEADER_ROWS, len(told)) and _goes_on(told[:depth], told[depth], told[depth + 1 :]):
        depth += 1
    return depth


def _goes_on(upper: Rows, names: Sequence[str], below: Rows) -> bool:
    """Whether a row holds the names within groups that the rows over it name.

    A group has several names, a column in no group has its name above and a blank here. That it is no record,
    under a header with blanks, is seen by what is below.
    """
    over = list(_over(upper))
    starts = [place for place, name in enumerate(over) if name]
    groups = [range(a, b) for a, b in pairwise([*starts, len(over)])]
    named = [sum(bool(names[place]) for place in group) for group in groups]
    alone = [group.start for group, count in zip(groups, named, strict=True) if not count]
    if not alone or max(named) < 2 or is_numbering(names) or not all(map(is_name, filter(None, [*over, *names]))):
        return False
    return any(map(is_numbering, below[:1])) or _unlike(names, below) or (1 not in named and _filled(alone, below))


def _over(upper: Rows) -> Iterator[str]:
    """The lowest name over each place; none where a group goes on."""
    return (next(filter(None, column), "") for column in zip(*reversed(upper), strict=True))


def _unlike(names: Sequence[str], below: Rows) -> bool:
    """Whether a column has a word here, and hardly any below."""
    for name, *cells in zip(names, *below, strict=True):
        filled = [cell for cell in cells if cell]
        if filled and _LETTER.search(name) and sum(map(bool, map(_LETTER.search, filled))) <= _FEW * len(filled):
            return True
    return False


def _filled(places: Sequence[int], below: Rows) -> bool:
    return any(all(row[place] for place in places) for row in below)


def _joined(levels: Rows) -> list[str]:
    """A name a column: a group's goes on to the right as far as names stand under it."""
    if len(levels) == 1:
        return list(levels[0])
    carried: list[list[str]] = []
    for depth, level in enumerate(levels):
        going, row = "", []
        for place, name in enumerate(level):
            begins = name or any(upper[place] for upper in levels[:depth])
            going = name if begins else going
            under = any(lower[place] for lower in levels[depth + 1 :])
            row.append(name or (going if under else ""))
        carried.append(row)
    return [_BETWEEN.join(dict.fromkeys(filter(None, column))) for column in zip(*carried, strict=True)]
