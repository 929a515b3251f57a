"""Small expressions of our tree, as the rewriting onto cohorts needs them."""

from __future__ import annotations

from sandbox.plan.tree import Call, Cast, Constant, Expression, Operation
from sandbox.plan.types import BIGINT, BOOLEAN, DOUBLE, NULL, Type


def whole(value: int) -> Constant:
    return Constant(BIGINT, str(value))


def real(value: float) -> Constant:
    return Constant(DOUBLE, f"{value!r}e0" if "e" not in repr(value) else repr(value))


def not_a_number() -> Expression:
    return Cast(DOUBLE, Constant(Type("VARCHAR"), "NaN"))


def case(condition: Expression, then: Expression, otherwise: Expression | None = None) -> Operation:
    return Operation(then.type, "case", (condition, then, otherwise or Constant(NULL, "null")))


def is_not_null(node: Expression) -> Operation:
    return negated(Operation(BOOLEAN, "is null", (node,)))


def negated(node: Expression) -> Operation:
    return Operation(BOOLEAN, "not", (node,))


def all_of(conditions: list[Expression]) -> Expression | None:
    """None where there is no condition."""
    if len(conditions) < 2:
        return conditions[0] if conditions else None
    return Operation(BOOLEAN, "and", tuple(conditions))


def total(node: Expression, where: Expression | None, answer: Type | None = None) -> Call:
    """sum(node) FILTER (WHERE …)."""
    return Call(answer or node.type, "sum", "aggregate", (node,), where=where)


def as_double(node: Expression) -> Expression:
    return node if node.type == DOUBLE else Cast(DOUBLE, node)


def doubles(symbol: str, left: Expression, right: Expression) -> Operation:
    """An operator over two DOUBLE."""
    return Operation(DOUBLE, symbol, (as_double(left), as_double(right)))


def product(factors: list[Expression]) -> Expression:
    """Of counts a BIGINT, else a DOUBLE."""
    found = factors[0]
    for factor in factors[1:]:
        both = BIGINT if found.type == factor.type == BIGINT else DOUBLE
        found = Operation(BIGINT, "*", (found, factor)) if both == BIGINT else doubles("*", found, factor)
    return found


def coalesced(node: Expression, otherwise: int) -> Operation:
    return Operation(node.type, "coalesce", (node, whole(otherwise)))


def count_of(node: Expression, where: Expression | None) -> Expression:
    """A count: 0 where there is nothing to add up, and BIGINT, as count is."""
    return Cast(BIGINT, coalesced(total(node, where, BIGINT), 0))


def not_negative(node: Expression) -> Call:
    return Call(DOUBLE, "greatest", "scalar", (node, real(0)))


def root(node: Expression) -> Call:
    return Call(DOUBLE, "sqrt", "scalar", (node,))
