"""Sums over persons from sums over cohorts: one factor a cohort table, n where none of its measures is asked for.

Joined cohorts stand for all pairs of their persons, so what is asked of them is the product of the factors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

from sandbox.disclosure.polynomials import Branches, Polynomial, times
from sandbox.disclosure.terms import (
    all_of,
    as_double,
    case,
    coalesced,
    doubles,
    is_not_null,
    product,
    real,
)
from sandbox.plan.errors import Refusal
from sandbox.plan.tree import Cast, ColumnRef, Expression, Operation, Source
from sandbox.plan.types import BIGINT, DOUBLE, HUGEINT, NULL, Type, decimal, multiplied

_POWERS = ("__count", "__sum", "__sumsq")
Measures = tuple[ColumnRef, ...]
Each = Callable[[Polynomial], Expression]


@dataclass(frozen=True, slots=True)
class Moments:
    """`sources`: the cohort tables of a FROM by relation; `optional`: those that an outer join may leave empty."""

    sources: Mapping[str, Source]
    optional: frozenset[str]

    def persons(self) -> Expression:
        """For how many (combinations of) persons a row stands."""
        return self._of((), ())

    def count(self, branches: Branches) -> Expression:
        """For how many of them the polynomial is not NULL."""
        return self._by_branch(branches, self._present)

    def total(self, branches: Branches, answer: Type) -> Expression:
        """The polynomial's sum over them; `answer`: the type of the aggregate that is asked for."""
        return self._by_branch(branches, lambda p: self._total(p, answer))

    def squares(self, branches: Branches) -> Expression:
        """The sum of its squares."""
        return self._by_branch(branches, lambda p: self._sum(times(p, p), p.measures))

    def both(self, left: Polynomial, right: Polynomial) -> Pair:
        """What two of them tell together, over those for whom neither is NULL."""
        measures = tuple(dict.fromkeys((*left.measures, *right.measures)))
        present = all_of([is_not_null(f) for f in dict.fromkeys((*left.factors, *right.factors))])
        one = self._of((), measures)

        def told(node: Expression) -> Expression:
            return node if present is None else case(present, node)

        return Pair(
            told(one), told(self._sum(left, measures)), told(self._sum(right, measures)),
            told(self._sum(times(left, left), measures)), told(self._sum(times(right, right), measures)),
            told(self._sum(times(left, right), measures)),
        )  # fmt: skip

    def _by_branch(self, branches: Branches, each: Each) -> Expression:
        found: list[Expression] = []
        for condition, polynomial in branches:
            found += [each(polynomial)] if condition is None else [condition, each(polynomial)]
        if len(found) == 1:
            return found[0]
        kinds = {e.type for e in (*found[1::2], found[-1]) if e.type != NULL}
        if len(kinds) == 1:
            return Operation(kinds.pop(), "case", tuple(found))
        cast = [e if i % 2 == 0 and i + 1 < len(found) else as_double(e) for i, e in enumerate(found)]
        return Operation(DOUBLE, "case", tuple(cast))

    def _present(self, polynomial: Polynomial) -> Expression:
        counted = self._of((), polynomial.measures)
        some = all_of([is_not_null(f) for f in polynomial.factors])
        return counted if some is None else case(some, counted)

    def _total(self, polynomial: Polynomial, answer: Type) -> Expression:
        plain = polynomial.plain
        if plain is None:
            return self._sum(polynomial, polynomial.measures)
        # Exact where the sum over persons is: whole numbers and decimals do not become DOUBLE.
        if answer == HUGEINT:
            return Operation(HUGEINT, "*", (Cast(HUGEINT, plain), Cast(HUGEINT, self.persons())))
        if answer.kind == "DECIMAL":
            wide = Cast(decimal(38, answer.scale), plain)
            return Operation(multiplied(wide.type, BIGINT), "*", (wide, self.persons()))
        return doubles("*", plain, self.persons())

    def _sum(self, polynomial: Polynomial, present: Measures) -> Expression:
        found: Expression | None = None
        for term in polynomial.terms:
            part = self._of(term.measures, present)
            if term.factor is not None:
                part = doubles("*", term.factor, part)
            found = as_double(part) if found is None else doubles("+", found, part)
        return found if found is not None else real(0)

    def _of(self, powers: Measures, present: Measures) -> Expression:
        """Sum over persons of the product of `powers`, over those who have a value of all in `present`."""
        return product([
            self._factor(
                source,
                tuple(m for m in powers if m.relation == source.relation),
                tuple(m for m in present if m.relation == source.relation),
            )
            for source in self.sources.values()
        ])  # fmt: skip

    def _factor(self, source: Source, powers: Measures, present: Measures) -> Expression:
        if not present:
            n = ColumnRef(BIGINT, source.relation, "n")
            return coalesced(n, 1) if source.relation in self.optional else n
        if len(powers) > 2:
            raise Refusal("sql.measure_function", powers[-1].at, powers[-1].end, measure=powers[-1].column,
                          use=f"sum({powers[0].column})")  # fmt: skip
        pairs = [self._pair(source, a, b) for a, b in combinations(present, 2)]
        first = powers[0] if powers else present[0]
        if len({m.column for m in powers}) == 2:
            node = self._pair(source, *powers)
        else:
            kind = DOUBLE if powers else BIGINT
            node = ColumnRef(
                kind, source.relation, first.column + _POWERS[len(powers)], at=first.at, end=first.end
            )
        # A pair's sum is there only where whoever has the one value has the other: then sums of each are theirs.
        guard = all_of([is_not_null(pair) for pair in pairs if pair != node])
        return node if guard is None else case(guard, node)

    def _pair(self, source: Source, left: ColumnRef, right: ColumnRef) -> ColumnRef:
        for a, b in ((left.column, right.column), (right.column, left.column)):
            if (a, b) in source.pairs:
                return ColumnRef(DOUBLE, source.relation, f"{a}__{b}__sumxy", at=right.at, end=right.end)
        declared = ", ".join(f"{a} × {b}" for a, b in source.pairs)
        raise Refusal("sql.no_cross_product", right.at, right.end, left=left.column, right=right.column,
                      use=declared or f"sum({left.column}), sum({right.column})")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pair:
    """Of two variables, a cohort's: count, sums, sums of squares, sum of products."""

    count: Expression
    left: Expression
    right: Expression
    left_squares: Expression
    right_squares: Expression
    products: Expression
