"""What is inside an aggregate, as a sum of products: of measures, each with a factor made of dimensions.

CASE on dimensions makes it piecewise. Of such a thing the files hold what sums of it and of its square need.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.disclosure.terms import as_double, doubles
from sandbox.plan.errors import Refusal
from sandbox.plan.tree import Cast, ColumnRef, Constant, Expression, Operation
from sandbox.plan.types import DOUBLE, NULL
from sandbox.plan.walking import walk

MAX_TERMS = 12
MAX_BRANCHES = 64
Rewrite = Callable[[Expression], Expression]


@dataclass(frozen=True, slots=True)
class Term:
    """`factor` (None: 1), which reads dimensions only, times the measures."""

    factor: Expression | None
    measures: tuple[ColumnRef, ...]


@dataclass(frozen=True, slots=True)
class Polynomial:
    """A sum of terms; NULL where any measure or factor is. `plain`: the node itself, where no measure is in it."""

    terms: tuple[Term, ...]
    plain: Expression | None = None

    @property
    def measures(self) -> tuple[ColumnRef, ...]:
        """Each that occurs, once."""
        return tuple(dict.fromkeys(m for term in self.terms for m in term.measures))

    @property
    def factors(self) -> list[Expression]:
        """Those that might be NULL."""
        found = (t.factor for t in self.terms if t.factor is not None)
        return [f for f in found if not (isinstance(f, Constant) and f.type != NULL)]


Branches = tuple[tuple[Expression | None, Polynomial], ...]
"""Condition and what holds under it, in order; the last has no condition."""


class Reader:
    """`own`: relations whose measures may stand here; `rewrite`: what else changes in an expression."""

    def __init__(self, own: set[str], rewrite: Rewrite, misused: Callable[[ColumnRef], Refusal]) -> None:
        self._own, self._rewrite, self._misused = own, rewrite, misused

    def has_measure(self, node: Expression) -> bool:
        return any(isinstance(n, ColumnRef) and n.is_measure and n.relation in self._own for n in walk(node))

    def read(self, node: Expression) -> Branches:
        """Refusal if a measure stands where no sum over cohorts can tell."""
        if not self.has_measure(node):
            plain = self._rewrite(node)
            return ((None, Polynomial((Term(plain, ()),), plain)),)
        match node:
            case ColumnRef():
                return ((None, Polynomial((Term(None, (node,)),))),)
            case Cast() if node.type == DOUBLE and not node.forgiving:
                return self.read(node.operand)
            case Operation(symbol="negative"):
                return _each(self.read(node.operands[0]), lambda p: _scaled(p, Constant(DOUBLE, "-1e0")))
            case Operation(symbol="+" | "-" | "*" | "/" as symbol):
                return self._calculated(symbol, node)
            case Operation(symbol="case"):
                return self._case(node)
        raise self.refused(node)

    def refused(self, node: Expression) -> Refusal:
        """For the first measure in it."""
        return self._misused(next(n for n in walk(node) if isinstance(n, ColumnRef) and n.is_measure))

    def _calculated(self, symbol: str, node: Operation) -> Branches:
        left, right = (self.read(n) for n in node.operands)
        if symbol == "/":
            divisor = right[0][1].plain
            if divisor is None or len(right) > 1:
                raise self.refused(node.operands[1])
            return _each(left, lambda p: _divided(p, divisor))
        combine = _multiplied if symbol == "*" else _added if symbol == "+" else _subtracted
        if len(left) > 1 and len(right) > 1:
            raise self.refused(node)
        found = (
            _each(left, lambda p: combine(p, right[0][1]))
            if len(right) == 1
            else _each(right, lambda p: combine(left[0][1], p))
        )
        if any(len(p.terms) > MAX_TERMS for _, p in found):
            raise self.refused(node)
        return found

    def _case(self, node: Operation) -> Branches:
        found: list[tuple[Expression | None, Polynomial]] = []
        pairs = zip(node.operands[:-1:2], node.operands[1::2], strict=True)
        for condition, answer in pairs:
            inner = self.read(answer)
            if len(inner) > 1:
                raise self.refused(node)
            found.append((self._rewrite(condition), inner[0][1]))
        last = self.read(node.operands[-1])
        if len(found) + len(last) > MAX_BRANCHES:
            raise self.refused(node)
        return (*found, *last)


def _each(branches: Branches, change: Callable[[Polynomial], Polynomial]) -> Branches:
    return tuple((condition, change(p)) for condition, p in branches)


def _factor(left: Expression | None, right: Expression | None) -> Expression | None:
    if left is None or right is None:
        return left or right
    return doubles("*", left, right)


def _scaled(given: Polynomial, factor: Expression) -> Polynomial:
    return Polynomial(tuple(Term(_factor(t.factor, factor), t.measures) for t in given.terms))


def _divided(given: Polynomial, divisor: Expression) -> Polynomial:
    one = Constant(DOUBLE, "1e0")
    return Polynomial(tuple(Term(doubles("/", t.factor or one, divisor), t.measures) for t in given.terms))


def _added(left: Polynomial, right: Polynomial) -> Polynomial:
    return Polynomial(left.terms + right.terms)


def _subtracted(left: Polynomial, right: Polynomial) -> Polynomial:
    return _added(left, _scaled(right, Constant(DOUBLE, "-1e0")))


def _multiplied(left: Polynomial, right: Polynomial) -> Polynomial:
    return Polynomial(
        tuple(
            Term(_factor(a.factor, b.factor), tuple(sorted((*a.measures, *b.measures), key=_name)))
            for a in left.terms
            for b in right.terms
        )
    )


def _name(measure: ColumnRef) -> tuple[str, str]:
    return measure.relation, measure.column


def times(left: Polynomial, right: Polynomial) -> Polynomial:
    """Their product, as sums of squares and of products need it."""
    return _multiplied(_real(left), _real(right))


def _real(given: Polynomial) -> Polynomial:
    terms = tuple(Term(None if t.factor is None else as_double(t.factor), t.measures) for t in given.terms)
    return Polynomial(terms)
