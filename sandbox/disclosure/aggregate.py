"""Aggregate mode: a question about persons becomes one about cohorts (DESIGN §4.4).

The analyst sees a table with one row a person. The file holds one record a cohort: the dimensions, `n` persons,
and for each measure m `m__count`, `m__sum`, `m__sumsq` (empty where fewer than k contribute or one dominates).
A SELECT whose FROM is such a table must aggregate; its aggregates are rewritten here. Above that any SQL is
safe.
"""

from __future__ import annotations

from dataclasses import replace

from sandbox.plan.errors import Refusal
from sandbox.plan.functions import FUNCTIONS
from sandbox.plan.grouping import is_grouped
from sandbox.plan.tree import (
    Call,
    Cast,
    ColumnRef,
    Constant,
    Derived,
    Expression,
    Join,
    Operation,
    Query,
    QueryTest,
    Relation,
    Select,
    SetOperation,
    Source,
    With,
)
from sandbox.plan.types import BIGINT, BOOLEAN, DOUBLE, NULL
from sandbox.plan.walking import everything, walk, with_children, with_clauses

_SPREADS = {"variance": "samp", "var_samp": "samp", "var_pop": "pop", "stddev": "samp", "stddev_samp": "samp",
            "stddev_pop": "pop"}  # fmt: skip
_ASK = "avg({0}), sum({0}), count({0}), stddev({0})"


def check_no_measure(query: Query) -> None:
    """The second lock: Refusal if a measure itself is still named anywhere after the rewriting."""
    for node in everything(query):
        if isinstance(node, ColumnRef) and node.is_measure:
            raise _misused(node)


def over_cohorts(query: Query) -> Query:
    """The query with each SELECT over an aggregate-mode table rewritten onto cohorts; Refusal if one cannot be."""
    match query:
        case With():
            return With(
                tuple((name, over_cohorts(inner)) for name, inner in query.ctes), over_cohorts(query.query)
            )
        case SetOperation():
            return replace(query, left=over_cohorts(query.left), right=over_cohorts(query.right))
        case Select():
            return _select(query)


def _select(select: Select) -> Select:
    source = select.source
    if isinstance(source, Source) and source.mode == "aggregate":
        return _Cohorts(source).select(select)
    relation = _relation(source) if source is not None else None
    return with_clauses(replace(select, source=relation), _plain)


def _relation(relation: Relation) -> Relation:
    match relation:
        case Derived():
            return replace(relation, query=over_cohorts(relation.query))
        case Join():
            return replace(relation, left=_relation(relation.left), right=_relation(relation.right),
                           on=_plain(relation.on) if relation.on is not None else None)  # fmt: skip
        case Source() if relation.mode == "aggregate":
            raise Refusal("sql.join_before_aggregate", relation.at, relation.end, table=relation.table,
                          use=f"(SELECT …, count(*) FROM {relation.table} GROUP BY …)")  # fmt: skip
    return relation


def _plain(node: Expression) -> Expression:
    """An expression over anything but a cohort table: only queries inside it can change."""
    if isinstance(node, ColumnRef) and node.is_measure:
        raise _misused(node)
    node = with_children(node, _plain)
    return replace(node, query=over_cohorts(node.query)) if isinstance(node, QueryTest) else node


def _misused(node: ColumnRef) -> Refusal:
    return Refusal("sql.measure_misused", node.at, node.end, measure=node.column, use=_ASK.format(node.column))


def _whole(value: int) -> Constant:
    return Constant(BIGINT, str(value))


def _case(condition: Expression, then: Expression, otherwise: Expression | None = None) -> Operation:
    return Operation(then.type, "case", (condition, then, otherwise or Constant(NULL, "null")))


def _is_not_null(node: Expression) -> Operation:
    return Operation(BOOLEAN, "not", (Operation(BOOLEAN, "is null", (node,)),))


def _coalesced(node: Expression) -> Expression:
    """A count: 0 where there is nothing to add up, and BIGINT, as count is."""
    return Cast(BIGINT, Operation(node.type, "coalesce", (node, _whole(0))))


class _Cohorts:
    """Rewrites one SELECT that stands directly on a cohort table."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def select(self, select: Select) -> Select:
        self._check(select)
        return with_clauses(select, self._rewrite)

    def _check(self, select: Select) -> None:
        if is_grouped(select):
            return
        if not select.distinct:
            table = self._source.table
            at = next((n for i in select.items for n in walk(i.expression) if isinstance(n, ColumnRef)), None)
            if at is not None and at.is_measure:
                raise _misused(at)
            raise Refusal("sql.must_aggregate", at.at if at else None, at.end if at else None, table=table,
                          use="count(*), … GROUP BY …")  # fmt: skip
        for item in select.items:
            for node in walk(item.expression):
                if isinstance(node, Call) and node.window is not None:
                    raise Refusal(
                        "sql.must_aggregate", node.at, node.end, table=self._source.table, use="GROUP BY …"
                    )
        if select.qualify is not None:
            raise Refusal("sql.must_aggregate", table=self._source.table, use="GROUP BY …")

    def _rewrite(self, node: Expression) -> Expression:
        if isinstance(node, Call) and node.kind == "aggregate" and node.window is None:
            return self._aggregate(node)
        if isinstance(node, ColumnRef) and node.is_measure:
            raise _misused(node)
        node = with_children(node, self._rewrite)
        return replace(node, query=over_cohorts(node.query)) if isinstance(node, QueryTest) else node

    def _column(self, name: str, like: Call) -> ColumnRef:
        kind = DOUBLE if name.endswith(("__sum", "__sumsq")) else BIGINT
        return ColumnRef(kind, self._source.relation, name, at=like.at, end=like.end)

    def _aggregate(self, call: Call) -> Expression:
        where = self._rewrite(call.where) if call.where is not None else None
        if not call.arguments:
            return _coalesced(self._sum(self._column("n", call), where))
        measure = call.arguments[0]
        if isinstance(measure, ColumnRef) and measure.is_measure and measure.relation == self._source.relation:
            return self._over_measure(call, measure, where)
        return self._over_dimension(call, where)

    def _sum(self, column: ColumnRef, where: Expression | None) -> Call:
        answer = BIGINT if column.type == BIGINT else DOUBLE
        return Call(answer, "sum", "aggregate", (column,), where=where)

    def _over_measure(self, call: Call, measure: ColumnRef, where: Expression | None) -> Expression:
        if FUNCTIONS[call.name].cohorts != "measure" or call.distinct or call.order:
            raise Refusal("sql.measure_function", call.at, call.end, measure=measure.column,
                          use=_ASK.format(measure.column))  # fmt: skip
        count = self._sum(self._column(f"{measure.column}__count", call), where)
        total = self._sum(self._column(f"{measure.column}__sum", call), where)
        if call.name == "count":
            return _coalesced(count)
        if call.name == "sum":
            return total
        if call.name in {"avg", "mean"}:
            return _divided(total, count)
        squares = self._sum(self._column(f"{measure.column}__sumsq", call), where)
        return _spread(call.name, count, total, squares)

    def _over_dimension(self, call: Call, where: Expression | None) -> Expression:
        arguments = tuple(self._rewrite(a) for a in call.arguments)
        kind = FUNCTIONS[call.name].cohorts
        if call.name == "count" and not call.distinct and not call.order:
            present = _is_not_null(arguments[0])
            both = present if where is None else Operation(BOOLEAN, "and", (where, present))
            return _coalesced(self._sum(self._column("n", call), both))
        order = tuple(replace(s, expression=self._rewrite(s.expression)) for s in call.order)
        if kind == "dimension" or call.distinct:
            # The set of values is the same over persons as over cohorts; only how often each comes is not.
            return replace(call, arguments=arguments, order=order, where=where)
        raise Refusal("sql.not_over_cohorts", call.at, call.end, use=_instead(call))


def _instead(call: Call) -> str:
    return "count(*) FILTER (WHERE …)" if call.name in {"count_if", "countif", "sum"} else "count(*)"


def _divided(total: Expression, count: Expression) -> Expression:
    """total / count; NULL where nobody contributes."""
    some = Operation(BOOLEAN, ">", (count, _whole(0)))
    return _case(some, Operation(DOUBLE, "/", (total, Cast(DOUBLE, count))))


def _spread(name: str, count: Expression, total: Expression, squares: Expression) -> Expression:
    """Variance or standard deviation from sums: never below zero (rounding), NULL with too few persons."""
    pop = _SPREADS[name] == "pop"
    least = 1 if pop else 2
    persons = Cast(DOUBLE, count)
    around = Operation(DOUBLE, "-", (squares, Operation(DOUBLE, "/", (
        Operation(DOUBLE, "*", (total, total)), persons))))  # fmt: skip
    clamped = Call(DOUBLE, "greatest", "scalar", (around, Constant(DOUBLE, "0e0")))
    divisor = persons if pop else Operation(DOUBLE, "-", (persons, Constant(DOUBLE, "1e0")))
    variance: Expression = Operation(DOUBLE, "/", (clamped, divisor))
    if name.startswith("stddev"):
        variance = Call(DOUBLE, "sqrt", "scalar", (variance,))
    return _case(Operation(BOOLEAN, ">=", (count, _whole(least))), variance)
