"""For each column the levels that it may be shown at, each coarser than the one before, and what each loses."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from catalog.cohorts import Ints
from catalog.transforms import UNMAPPED, Transform, Value, apply, hierarchy_of
from catalog.wire import AnonymiseColumn

MAX_LEVELS: Final = 9
_STEPS: Final = 5


@dataclass(frozen=True, slots=True)
class Ladder:
    """`levels[0]` is the finest; of each level: `groups` (code of the value → code of its group), `sizes`, and
    `loss` (of a value, 0 to 1)."""

    column: AnonymiseColumn
    levels: list[Transform | None]
    groups: list[Ints]
    sizes: list[int]
    loss: list[Ints]

    def __len__(self) -> int:
        return len(self.levels)

    def of(self, floor: int, held: Ints) -> Ladder:
        """From level `floor` on, for the values in `held`."""
        return Ladder(
            self.column, self.levels[floor:], [g[held] for g in self.groups[floor:]], self.sizes[floor:],
            [one[held] for one in self.loss[floor:]],
        )  # fmt: skip


def ladder_of(
    column: AnonymiseColumn, values: Sequence[Value], used: Ints, hierarchies: Mapping[str, str]
) -> Ladder:
    """`values`: by code; `used`: whether anybody has it. A level that is not coarser than the last is left out,
    and so is one that does not know some value."""
    ladder = Ladder(column, [], [], [], [])
    loss_of = _Loss(values, used)
    for transform in _candidates(column, values, used, hierarchies):
        shown = apply(transform, values, hierarchies)
        if any(v is UNMAPPED for v, u in zip(shown, used, strict=True) if u):
            continue
        place: dict[Any, int] = {}
        group = np.array([place.setdefault(v, len(place)) for v in shown], dtype=np.int32)
        if ladder.groups and not _coarser(ladder.groups[-1][used], group[used]):
            continue
        ladder.levels.append(transform)
        ladder.groups.append(group)
        ladder.sizes.append(len(place))
        ladder.loss.append(loss_of.of(group, len(place), dropped=transform is not None and transform.drop))
    return ladder


def _coarser(fine: Ints, coarse: Ints) -> bool:
    """Whether each group of `fine` lies within one of `coarse`, and there are fewer of these."""
    groups = len(np.unique(fine))
    pairs = len(np.unique(fine.astype(np.int64) << 32 | coarse))
    return pairs == groups and len(np.unique(coarse)) < groups


def _candidates(
    column: AnonymiseColumn, values: Sequence[Value], used: Ints, hierarchies: Mapping[str, str]
) -> Iterator[Transform | None]:
    """Finest first: as it is, then what the owner wrote with what lies between, then nothing of it."""
    yield None
    own = [t for t in (column.fine, *column.coarser) if t is not None and not t.drop]
    numbers = [_position(v) for v, u in zip(values, used, strict=True) if u and _is_number(v)]
    if column.type in ("DATE", "TIMESTAMP") and not own:
        yield from (Transform(truncate=part) for part in ("month", "quarter", "year", "five_years", "decade"))
    elif own and own[0].hierarchy is not None:
        name = own[0].hierarchy
        for level in range(1, min(hierarchy_of(name, hierarchies).levels, MAX_LEVELS) + 1):
            yield Transform(hierarchy=name, level=level, otherwise=own[0].otherwise)
    elif own and own[0].bins is not None:
        yield from _around(own, numbers)
    elif own:
        yield from own
    elif column.type in ("BIGINT", "DOUBLE") and len(set(numbers)) > 2:
        yield from _stepped(numbers, ())
    yield Transform(drop=True)


def _around(own: list[Transform], numbers: list[float]) -> Iterator[Transform]:
    """Bins within the owner's (where a round step hits all his bounds), his own, his with every second bound."""
    bounds = own[0].bins or ()
    yield from _stepped(numbers, bounds)
    yield from own
    last = own[-1].bins or bounds
    while len(last) > 1:
        last = last[1::2]
        yield Transform(bins=last)


def _stepped(numbers: list[float], within: Sequence[float]) -> Iterator[Transform]:
    """Bins of a round step, then of twice that, and so on: bounds that tell of no person's value.

    The outermost hundredths of the persons' values lie in the open bins at both ends.
    """
    distinct = sorted(set(numbers))
    if len(distinct) < 3:
        return
    low, high = distinct[len(distinct) // 100], distinct[-1 - len(distinct) // 100]
    step = _round_step((high - low) / 2**_STEPS)
    while step < high - low:
        inside = {
            b for b in np.arange(math.ceil(low / step) * step, high + step / 2, step).tolist() if low < b <= high
        }
        if inside and all(math.isclose(b / step, round(b / step)) for b in within):
            yield Transform(bins=tuple(sorted({round(b, 9) for b in inside} | set(within))))
        step *= 2


def _round_step(step: float) -> float:
    """The next of 1, 2.5, 5, 10 … times a power of ten; whole from 1 up."""
    power = 10.0 ** math.floor(math.log10(step)) if step > 0 else 1.0
    return next(
        (f * power for f in (1.0, 2.5, 5.0) if f * power >= step and (f != 2.5 or power != 1.0)), 10 * power
    )


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


class _Loss:
    """Normalised certainty penalty of a value in its group (Xu et al. 2006): how wide the group is, of the whole.

    Numbers and dates: the span of the values in it over the span of all. Else: how many other values are in it, of
    all the others there are. An empty cell is a value among others, of no width.
    """

    def __init__(self, values: Sequence[Value], used: Ints) -> None:
        self.used = used
        self.numbers = np.array([_position(v) for v, u in zip(values, used, strict=True)], dtype=np.float64)
        known = [v for v, u in zip(values, used, strict=True) if u and v is not None]
        self.ordered = bool(known) and all(_is_number(v) or isinstance(v, datetime.date) for v in known)
        self.counted = used & ~np.isnan(self.numbers) if self.ordered else used

    def of(self, group: Ints, size: int, *, dropped: bool) -> Ints:
        """Of each value."""
        if dropped:
            return np.ones(len(group))
        if not self.ordered:
            members = np.bincount(group[self.used], minlength=size)
            return (np.maximum(members, 1)[group] - 1) / max(int(self.used.sum()) - 1, 1)
        low, high = np.full(size, np.inf), np.full(size, -np.inf)
        np.minimum.at(low, group[self.counted], self.numbers[self.counted])
        np.maximum.at(high, group[self.counted], self.numbers[self.counted])
        width = np.where(high >= low, high - low, 0.0)
        whole = float(self.numbers[self.counted].max() - self.numbers[self.counted].min())
        result: Ints = width[group] / whole if whole > 0 else np.zeros(len(group))
        return np.where(np.isnan(self.numbers), 0.0, result)


def _position(value: Value) -> float:
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    if isinstance(value, datetime.date):
        return float(value.toordinal())
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else math.nan
