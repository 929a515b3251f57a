"""The aggregates that can be told from sums: each as DuckDB gives it over persons, empty groups and all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sandbox.disclosure.moments import Pair
from sandbox.disclosure.terms import (
    as_double,
    case,
    count_of,
    doubles,
    not_a_number,
    not_negative,
    real,
    root,
    total,
    whole,
)
from sandbox.plan.tree import Cast, Expression, Operation
from sandbox.plan.types import BOOLEAN

SPREADS: Final = {
    "variance": "samp", "var_samp": "samp", "var_pop": "pop", "stddev": "samp", "stddev_samp": "samp",
    "stddev_pop": "pop", "sem": "pop",
}  # fmt: skip
_ROUNDING = 1e-14
"""Of the sum of squares: what a spread of nothing may come to by rounding."""


def _at_least(count: Expression, least: int) -> Operation:
    return Operation(BOOLEAN, ">=", (count, whole(least)))


def mean(whole_sum: Expression, count: Expression) -> Expression:
    """NULL where nobody contributes."""
    return case(_at_least(count, 1), doubles("/", whole_sum, count))


def spread(name: str, count: Expression, whole_sum: Expression, squares: Expression) -> Expression:
    """Variance, standard deviation or standard error: never below zero (rounding), NULL with too few persons."""
    pop = SPREADS[name] == "pop"
    around = doubles("-", squares, doubles("/", doubles("*", whole_sum, whole_sum), count))
    divisor = as_double(count) if pop else doubles("-", count, real(1))
    found: Expression = doubles("/", not_negative(around), divisor)
    if name == "sem":
        found = doubles("/", found, count)
    if name.startswith("stddev") or name == "sem":
        found = root(found)
    return case(_at_least(count, 1 if pop else 2), found)


class Regression:
    """Aggregates of two variables, y and x, over the cohorts of a group."""

    def __init__(self, pair: Pair, where: Expression | None) -> None:
        self._count = count_of(pair.count, where)
        self._y, self._x, self._yy, self._xx, self._xy = (
            total(as_double(e), where)
            for e in (pair.left, pair.right, pair.left_squares, pair.right_squares, pair.products)
        )
        self._sums: dict[str, Callable[[], Expression]] = {
            "regr_count": lambda: self._count, "regr_avgx": lambda: mean(self._x, self._count),
            "regr_avgy": lambda: mean(self._y, self._count), "covar_pop": lambda: self._covariance(1),
            "covar_samp": lambda: self._covariance(2), "corr": self._correlation, "regr_slope": self._slope,
            "regr_intercept": self._intercept, "regr_r2": self._determination,
            "regr_sxx": lambda: self._some(self._spread(self._xx, self._x)),
            "regr_syy": lambda: self._some(self._spread(self._yy, self._y)),
            "regr_sxy": lambda: self._some(self._together()),
        }  # fmt: skip

    def told(self, name: str) -> Expression:
        """KeyError for a name that is none of them."""
        return self._sums[name]()

    def _some(self, node: Expression) -> Expression:
        return case(_at_least(self._count, 1), node)

    def _spread(self, squares: Expression, one: Expression) -> Expression:
        around = doubles("-", squares, doubles("/", doubles("*", one, one), self._count))
        nothing = Operation(BOOLEAN, "<=", (around, doubles("*", real(_ROUNDING), squares)))
        return case(nothing, real(0), around)

    def _together(self) -> Expression:
        return doubles("-", self._xy, doubles("/", doubles("*", self._x, self._y), self._count))

    def _covariance(self, least: int) -> Expression:
        divisor = self._count if least == 1 else doubles("-", self._count, real(1))
        return case(_at_least(self._count, least), doubles("/", self._together(), divisor))

    def _correlation(self) -> Expression:
        both = doubles("*", self._spread(self._xx, self._x), self._spread(self._yy, self._y))
        return self._some(self._or(both, doubles("/", self._together(), root(both)), not_a_number()))

    def _slope(self) -> Expression:
        x = self._spread(self._xx, self._x)
        return self._some(self._or(x, doubles("/", self._together(), x), not_a_number()))

    def _intercept(self) -> Expression:
        x = self._spread(self._xx, self._x)
        slope = doubles("/", self._together(), x)
        found = doubles("/", doubles("-", self._y, doubles("*", slope, self._x)), self._count)
        return self._some(self._or(x, found, None))

    def _determination(self) -> Expression:
        x, y = self._spread(self._xx, self._x), self._spread(self._yy, self._y)
        found = doubles("/", doubles("*", self._together(), self._together()), doubles("*", x, y))
        return self._some(self._or(x, self._or(y, found, real(1)), None))

    @staticmethod
    def _or(tested: Expression, then: Expression, otherwise: Expression | None) -> Expression:
        """`then` where `tested` is not 0."""
        return case(Operation(BOOLEAN, ">", (tested, real(0))), then, otherwise)


PAIRED: Final = frozenset({
    "corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept", "regr_r2", "regr_count", "regr_avgx",
    "regr_avgy", "regr_sxx", "regr_syy", "regr_sxy",
})  # fmt: skip


def typed(node: Expression, like: Expression) -> Expression:
    """With the type that the plan has promised for `like`."""
    return node if node.type == like.type else Cast(like.type, node)
