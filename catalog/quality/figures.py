"""What everybody is shown of a version's columns: shares, in coarse steps, of what was released."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from msgspec import Struct

from catalog.quality.wire import Bin, ColumnProfile, Profile
from catalog.version import Version, VersionColumn

MOST_BARS: Final = 8
"""Of values, beside the rest and those without one."""
STEPS_PERCENT: Final = (5, 10, 20, 25, 50)
Kind = Literal["value", "span", "rest", "none"]
_NUMBER_BIN = re.compile(r"(-?\d+)(?:\.0)?e(-?\d+)(?:\.0)?")
_FIRST_NUMBER = re.compile(r"-?\d+(\.\d+)?")


class Bar(Struct, frozen=True, kw_only=True):
    """One value; of numbers and months those from `label` to `until`; `rest`: all other values; `none`: no value.

    `percent`: the share of persons, rounded down to the step: the true one lies within the step above it."""

    kind: Kind
    percent: int
    label: str = ""
    until: str = ""


class ColumnFigures(Struct, frozen=True, kw_only=True):
    name: str
    bars: tuple[Bar, ...]


class Figures(Struct, frozen=True, kw_only=True):
    """`waiting`: not counted yet; `few`: too few persons; `private`: dp mode, only what is declared may be shown.

    `columns`: in the version's order; in aggregate mode the dimensions, for each cohort says its size."""

    state: Literal["counted", "waiting", "few", "private"]
    step_percent: int = 0
    columns: tuple[ColumnFigures, ...] = ()


@dataclass(frozen=True, slots=True)
class _Span:
    order: Decimal | str
    low: str
    high: str
    persons: int


def figures_of(version: Version, profile: Profile | None) -> Figures:
    """A function of the profile of the released files, of the version's k and of nothing else.

    Every bar stands for at least k persons, and what is said of it for k or more counts.
    """
    if version.mode == "dp":
        return Figures(state="private")
    if profile is None:
        return Figures(state="waiting")
    step = step_of(profile.persons, version.k)
    if step is None:
        return Figures(state="few")
    by_name = {column.name: column for column in version.columns}
    columns = tuple(
        ColumnFigures(name=found.name, bars=_bars(by_name[found.name], found, profile.persons, version.k, step))
        for found in profile.columns
        if found.name in by_name
    )
    return Figures(state="counted", step_percent=step, columns=columns)


def step_of(persons: int, k: int) -> int | None:
    """The finest step of the shares, in percent, that holds 2k persons; None: half of all are fewer.

    Twice, for the lowest step begins at k: what is shown of a bar in it must leave k counts too.
    """
    return next((step for step in STEPS_PERCENT if persons * step >= 200 * k), None)


def _bars(column: VersionColumn, found: ColumnProfile, persons: int, k: int, step: int) -> tuple[Bar, ...]:
    def bar(kind: Kind, count: int, label: str = "", until: str = "") -> Bar:
        percent = min(100 * count // persons // step * step, 100 - step)
        return Bar(kind=kind, percent=percent, label=label, until=until)

    named = [each for each in found.bins if each.label and each.persons >= k]
    spans = _spans(column, named)
    if spans is not None:
        counted = sum(span.persons for span in spans)
        shown = [bar("span", span.persons, span.low, span.high) for span in _joined(spans)]
    else:
        most = sorted(named, key=lambda each: (-each.persons, each.label))[:MOST_BARS]
        counted = sum(each.persons for each in most)
        shown = sorted((bar("value", each.persons, each.label or "") for each in most), key=_order(column))
    empty = sum(each.persons for each in found.bins if each.label is None)
    rest = sum(each.persons for each in found.bins) - counted - empty
    ends: tuple[tuple[Kind, int], ...] = (("rest", rest), ("none", empty))
    return (*shown, *(bar(kind, count) for kind, count in ends if count >= k))


def _order(column: VersionColumn) -> Callable[[Bar], tuple[float, bool, str]]:
    """Declared bins as they lie, all else the largest first; within a step the order tells nothing."""
    if not column.transform.startswith("bins"):
        return lambda bar: (-bar.percent, False, bar.label)
    return lambda bar: (_first_number(bar.label), not bar.label.startswith("<"), bar.label)


def _first_number(label: str) -> float:
    found = _FIRST_NUMBER.search(label)
    return float(found[0]) if found else float("inf")


def _spans(column: VersionColumn, named: Sequence[Bin]) -> list[_Span] | None:
    """Bins of numbers or months in their order; None where values have none."""
    if column.type in ("DATE", "TIMESTAMP"):
        months = [_Span(each.label or "", each.label or "", each.label or "", each.persons) for each in named]
        return sorted(months, key=lambda span: span.order)
    if column.type not in ("BIGINT", "DOUBLE"):
        return None
    found = [span for each in named if (span := _number_span(each)) is not None]
    return sorted(found, key=lambda span: span.order)


def _number_span(each: Bin) -> _Span | None:
    """Of a sign, a first digit and a magnitude; None for what is no number."""
    if each.label == "0":
        return _Span(Decimal(0), "0", "0", each.persons)
    match = _NUMBER_BIN.fullmatch(each.label or "")
    if match is None:
        return None
    digit, size = int(match[1]), int(match[2])
    low, high = (digit, digit + 1) if digit > 0 else (digit - 1, digit)
    ends = [format(Decimal(end).scaleb(size), "f") for end in (low, high)]
    return _Span(Decimal(ends[0]), ends[0], ends[1], each.persons)


def _joined(spans: Sequence[_Span]) -> list[_Span]:
    """Neighbours put together, those with the fewest persons first."""
    left = list(spans)
    while len(left) > MOST_BARS:
        at = min(range(len(left) - 1), key=lambda i: left[i].persons + left[i + 1].persons)
        one, other = left[at], left[at + 1]
        left[at : at + 2] = [_Span(one.order, one.low, other.high, one.persons + other.persons)]
    return left
