"""Aggregate mode: a question about persons becomes one about cohorts (DESIGN §4.4).

The analyst sees a table with one row a person. The file holds one record a cohort: the dimensions, `n` persons,
for each measure m `m__count`, `m__sum`, `m__sumsq` (empty where fewer than k contribute or one dominates), and for
each declared pair `a__b__sumxy`. A SELECT in whose FROM such a table stands must aggregate; its aggregates are
rewritten here: a row stands for n persons, a row of a join for as many combinations of persons as there would be.
Above that any SQL is safe.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from sandbox.disclosure.moments import Moments
from sandbox.disclosure.polynomials import Reader
from sandbox.disclosure.statistics import PAIRED, SPREADS, Regression, mean, spread, typed
from sandbox.disclosure.terms import as_double, case, count_of, negated, total, whole
from sandbox.plan.errors import Refusal
from sandbox.plan.functions import FUNCTIONS
from sandbox.plan.grouping import is_grouped
from sandbox.plan.tree import (
    Call,
    ColumnRef,
    Constant,
    Derived,
    Expression,
    Item,
    Join,
    Query,
    QueryTest,
    Recursion,
    Relation,
    Select,
    SetOperation,
    Source,
    Tail,
    Values,
    With,
)
from sandbox.plan.types import BIGINT, HUGEINT
from sandbox.plan.walking import everything, walk, with_children, with_clauses

_ASK = "avg({0}), sum({0}), count({0}), stddev({0})"


def check_no_measure(query: Query) -> None:
    """The second lock: Refusal if a measure itself is still named anywhere after the rewriting."""
    for node in everything(query):
        if isinstance(node, ColumnRef) and node.is_measure:
            raise _misused(node)


def over_cohorts(query: Query, *, as_set: bool = False) -> Query:
    """The query with each SELECT over an aggregate-mode table rewritten onto cohorts; Refusal if one cannot be.

    `as_set`: how often a row comes does not matter, so that cohorts may stand for their persons.
    """
    match query:
        case With():
            ctes = tuple((name, over_cohorts(inner)) for name, inner in query.ctes)
            return With(ctes, over_cohorts(query.query, as_set=as_set))
        case Values():
            return replace(query, rows=tuple(tuple(_plain(value) for value in row) for row in query.rows))
        case Recursion():
            return replace(query, start=over_cohorts(query.start), step=_select(query.step, as_set=False))
        case SetOperation():
            return replace(query, left=over_cohorts(query.left), right=over_cohorts(query.right))
        case Select():
            return _select(query, as_set=as_set)


def _select(select: Select, *, as_set: bool) -> Select:
    seen = list(_cohort_tables(select.source))
    source = _relation(select.source) if select.source is not None else None
    if not seen:
        return with_clauses(replace(select, source=source), _plain)
    _check(select, seen[0][0], as_set=as_set)
    cohorts = _Cohorts({s.relation: s for s, _ in seen}, frozenset(s.relation for s, optional in seen if optional))
    return with_clauses(replace(select, source=source), cohorts.rewrite)


def _cohort_tables(relation: Relation | None, *, optional: bool = False) -> Iterator[tuple[Source, bool]]:
    """Those whose rows the SELECT sees, and whether an outer join may leave them empty in a row."""
    match relation:
        case Source() if relation.mode == "aggregate":
            yield relation, optional
        case Join():
            if relation.kind.startswith("ASOF") and (found := next(_cohort_tables(relation.right), None)):
                # It takes one person of the right side, and a cohort cannot say which one.
                raise Refusal("sql.not_supported", found[0].at, found[0].end, form="ASOF JOIN", use="JOIN … ON …")
            yield from _cohort_tables(relation.left, optional=optional or relation.kind in {"RIGHT", "FULL"})
            if relation.kind not in {"SEMI", "ANTI"}:
                yield from _cohort_tables(relation.right, optional=optional or relation.kind in {"LEFT", "FULL"})


def _relation(relation: Relation) -> Relation:
    match relation:
        case Derived():
            return replace(relation, query=over_cohorts(relation.query))
        case Join():
            on = _plain(relation.on) if relation.on is not None else None
            return replace(relation, left=_relation(relation.left), right=_relation(relation.right), on=on)
    return relation


def _test(node: QueryTest) -> QueryTest:
    """EXISTS and IN ask what there is, not how often."""
    query = node.query
    if node.form == "exists" and isinstance(query, Select) and not is_grouped(query) and query.tail == Tail():
        query = replace(query, items=(Item("one", Constant(BIGINT, "1")),))
    return replace(node, query=over_cohorts(query, as_set=node.form != "value"))


def _plain(node: Expression) -> Expression:
    """An expression over anything but a cohort table: only queries inside it can change."""
    if isinstance(node, ColumnRef) and node.is_measure:
        raise _misused(node)
    node = with_children(node, _plain)
    return _test(node) if isinstance(node, QueryTest) else node


def _misused(node: ColumnRef) -> Refusal:
    return Refusal("sql.measure_misused", node.at, node.end, measure=node.column, use=_ASK.format(node.column))


def _check(select: Select, source: Source, *, as_set: bool) -> None:
    """Refusal if the SELECT would show a row a cohort where a row a person is meant."""
    if is_grouped(select):
        return
    if not select.distinct and not (as_set and select.tail.limit is None and select.tail.offset is None):
        at = next((n for i in select.items for n in walk(i.expression) if isinstance(n, ColumnRef)), None)
        if at is not None and at.is_measure:
            raise _misused(at)
        raise Refusal("sql.must_aggregate", at.at if at else None, at.end if at else None, table=source.table,
                      use="count(*), … GROUP BY …")  # fmt: skip
    for node in (n for item in select.items for n in walk(item.expression)):
        if isinstance(node, Call) and node.window is not None:
            raise Refusal("sql.must_aggregate", node.at, node.end, table=source.table, use="GROUP BY …")
    if select.qualify is not None:
        raise Refusal("sql.must_aggregate", table=source.table, use="GROUP BY …")


class _Cohorts:
    """Rewrites the expressions of one SELECT in whose FROM cohort tables stand."""

    def __init__(self, sources: dict[str, Source], optional: frozenset[str]) -> None:
        self._moments = Moments(sources, optional)
        self._reader = Reader(set(sources), self.rewrite, _misused)

    def rewrite(self, node: Expression) -> Expression:
        """Refusal for what sums over cohorts cannot tell."""
        if isinstance(node, Call) and node.kind == "aggregate" and node.window is None:
            return self._aggregate(node)
        if isinstance(node, ColumnRef) and node.is_measure:
            raise _misused(node)
        node = with_children(node, self.rewrite)
        return _test(node) if isinstance(node, QueryTest) else node

    def _aggregate(self, call: Call) -> Expression:
        where = self.rewrite(call.where) if call.where is not None else None
        measured = any(self._reader.has_measure(a) for a in call.arguments)
        if measured and (FUNCTIONS[call.name].cohorts != "measure" or call.distinct or call.order):
            raise self._not_of_a_measure(call)
        found = None if call.distinct else self._from_sums(call, where)
        return typed(found, call) if found is not None else self._of_values(call, where)

    def _not_of_a_measure(self, call: Call) -> Refusal:
        node = call.arguments[0]
        if isinstance(node, ColumnRef) and node.is_measure:
            return Refusal("sql.measure_function", call.at, call.end, measure=node.column,
                           use=_ASK.format(node.column))  # fmt: skip
        return self._reader.refused(next(a for a in call.arguments if self._reader.has_measure(a)))

    def _from_sums(self, call: Call, where: Expression | None) -> Expression | None:
        """None for an aggregate that is not told by sums."""
        name, moments = call.name, self._moments
        if name in {"count_if", "countif"}:
            # As DuckDB does: NULL, not 0, where the condition is never true or false.
            met = self.rewrite(call.arguments[0])
            return total(case(met, moments.persons(), case(negated(met), whole(0))), where, HUGEINT)
        if not call.arguments:
            return count_of(moments.persons(), where) if name == "count" else None
        if name in PAIRED:
            return self._regression(call, where)
        if name not in {"count", "sum", "avg", "mean", *SPREADS}:
            return None
        branches = self._reader.read(call.arguments[0])
        count = count_of(moments.count(branches), where)
        if name == "count":
            return count
        wanted = FUNCTIONS[name]
        whole_sum = moments.total(branches, call.type if wanted.answer == "sum" else call.arguments[0].type)
        if name == "sum":
            return total(whole_sum, where, call.type)
        whole_sum = total(as_double(whole_sum), where)
        if name in {"avg", "mean"}:
            return mean(whole_sum, count)
        return spread(name, count, whole_sum, total(as_double(moments.squares(branches)), where))

    def _regression(self, call: Call, where: Expression | None) -> Expression:
        sides = [self._reader.read(a) for a in call.arguments]
        for side, node in zip(sides, call.arguments, strict=True):
            if len(side) > 1:
                raise self._reader.refused(node)
        return Regression(self._moments.both(sides[0][0][1], sides[1][0][1]), where).told(call.name)

    def _of_values(self, call: Call, where: Expression | None) -> Expression:
        """The set of values is the same over persons as over cohorts; only how often each comes is not."""
        if FUNCTIONS[call.name].cohorts != "dimension" and not call.distinct:
            raise Refusal("sql.not_over_cohorts", call.at, call.end, use="count(*) … GROUP BY …")
        arguments = tuple(self.rewrite(a) for a in call.arguments)
        order = tuple(replace(s, expression=self.rewrite(s.expression)) for s in call.order)
        return replace(call, arguments=arguments, order=order, where=where)
