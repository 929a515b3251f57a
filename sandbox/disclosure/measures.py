"""dp mode: what the jail adds up exactly, in whole steps, and by how much one person can change it.

A measure is a number a group: a count, or a sum of clamped values counted in steps. It depends on one record only
through that record's own contribution, which is at most `sensitivity`; NULL and records that the filter leaves out
contribute nothing. Bands are a vector of counts, of which one record is in at most one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sandbox.job import Bounds
from sandbox.plan.tree import Call, Cast, ColumnRef, Constant, Expression, Operation
from sandbox.plan.types import BIGINT, BOOLEAN, DOUBLE, NULL

BANDS = 64
"""In which a column's range is cut for quantiles: fewer are surer, more are finer."""

Project = Callable[[Expression], Expression]
"""Gives an expression over records a column of its own, once, however many measures read it."""
Kind = Literal["count", "sum", "centred", "squares", "bands"]


@dataclass(frozen=True, slots=True)
class Measure:
    """`counted`: records where it is not NULL are; None: all are. `where`: only records for which it is true."""

    kind: Kind
    column: ColumnRef | None
    counted: Expression | None
    where: Expression | None
    bounds: Bounds | None

    @property
    def width(self) -> int:
        """Numbers a group."""
        return bands(self.bounds) if self.kind == "bands" and self.bounds else 1

    @property
    def sensitivity(self) -> int:
        """Most that one record more or less can change it: a number, or the length of the vector's change."""
        if self.bounds is None or self.kind in ("count", "bands"):
            return 1
        low, high = self.bounds.steps
        if self.kind == "sum":
            return max(abs(low), abs(high), 1)
        half = max(high - middle(self.bounds), middle(self.bounds) - low)
        return half if self.kind == "centred" else half * half

    def partial(self, projected: Project) -> Partial:
        """The aggregate that the jail computes over columns that `projected` makes; for bands, of each band."""
        shown = projected(self.where) if self.where is not None else None
        if self.column is None or self.bounds is None:
            return Partial(_count(projected(self.counted) if self.counted is not None else None, shown), None)
        steps = in_steps(self.column, self.bounds)
        if self.kind == "bands":
            known = Operation(
                BIGINT, "case", (Operation(BOOLEAN, "is null", (self.column,)), Constant(NULL, "null"), steps)
            )
            return Partial(_count(None, shown), projected(_band(known, self.bounds)))
        high, centre = self.bounds.steps[1], middle(self.bounds)
        value, there = projected(steps), _count(projected(self.column), shown)
        if self.kind == "squares":
            value, high = Operation(BIGINT, "-", (value, _whole(centre))), (high - centre) ** 2
            value = Operation(BIGINT, "*", (value, value))
        total = added_up(value, shown)
        if self.kind == "centred":
            total = _less(total, centre, there)  # once a group, not once a record
        return Partial(_less(total, high, Operation(BIGINT, "-", (_count(None, shown), there))), None)

    def whole(self, partial: Expression, band: Expression | None) -> tuple[Expression, ...]:
        """`width` numbers a group, from the partial aggregates of its bands."""
        if band is None or self.kind != "bands":
            return (added_up(partial),)
        tests = (Operation(BOOLEAN, "=", (band, _whole(index))) for index in range(self.width))
        return tuple(added_up(partial, test) for test in tests)


@dataclass(frozen=True, slots=True)
class Partial:
    """An aggregate that may be added up over parts of a group, and the column that makes the parts."""

    aggregate: Expression
    band: Expression | None


def added_up(value: Expression, where: Expression | None = None) -> Expression:
    """The sum, 0 over nothing. It stays within 64 bits: `catalog.privacy_rules` bounds what is added."""
    return Operation(BIGINT, "coalesce", (Call(BIGINT, "sum", "aggregate", (value,), where=where), _whole(0)))


def _less(total: Expression, each: int, count: Expression) -> Expression:
    return Operation(BIGINT, "-", (total, Operation(BIGINT, "*", (count, _whole(each)))))


def _count(value: Expression | None, where: Expression | None) -> Expression:
    return Call(BIGINT, "count", "aggregate", () if value is None else (value,), where=where)


def _band(steps: Expression, bounds: Bounds) -> Expression:
    """The band of a value in steps, as `band_edges` cuts them."""
    low, high = bounds.steps
    above = Operation(BIGINT, "-", (steps, _whole(low)))
    scaled = Operation(BIGINT, "*", (above, _whole(bands(bounds))))
    return Operation(BIGINT, "//", (scaled, _whole(high - low + 1)))


def middle(bounds: Bounds) -> int:
    """A step in the middle of the bounds, from which sums are taken where the count is known too: less noise."""
    low, high = bounds.steps
    return (low + high) // 2


def bands(bounds: Bounds) -> int:
    """How many bands there are: one a step, or BANDS."""
    low, high = bounds.steps
    return min(BANDS, high - low + 1)


def band_edges(bounds: Bounds, index: int) -> tuple[int, int]:
    """First and last step of a band."""
    low, high = bounds.steps
    steps, count = high - low + 1, bands(bounds)
    return low + -(-steps * index // count), low + -(-steps * (index + 1) // count) - 1


def in_steps(column: ColumnRef, bounds: Bounds) -> Expression:
    """The column brought between its bounds and counted in whole steps; of NULL the highest."""
    low, high = bounds.steps
    if column.type.is_integer and bounds.step == 1:
        return _clamped(column, _whole(low), _whole(high))
    # The bounds are whole steps, so what lies between them is rounded to no step outside.
    value: Expression = column if column.type == DOUBLE else Cast(DOUBLE, column)
    clamped = _clamped(value, _real(bounds.lower), _real(bounds.upper))
    return Cast(BIGINT, Call(DOUBLE, "round", "scalar", (Operation(DOUBLE, "/", (clamped, _real(bounds.step))),)))


def _clamped(value: Expression, low: Expression, high: Expression) -> Expression:
    # By no CASE: whoever is within, outside or NULL costs the same.
    below = Call(value.type, "least", "scalar", (value, high))
    return Call(value.type, "greatest", "scalar", (below, low))


def _whole(value: int) -> Expression:
    return Cast(BIGINT, Constant(BIGINT, str(value)))


def _real(value: float) -> Expression:
    return Cast(DOUBLE, Constant(DOUBLE, repr(float(value))))
