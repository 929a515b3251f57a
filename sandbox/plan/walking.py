"""Walking our tree, and changing it: what is inside an expression, and inside a query."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from .tree import (
    Call,
    Cast,
    CteUse,
    Derived,
    Expression,
    Item,
    Join,
    Operation,
    Query,
    QueryTest,
    Recursion,
    Relation,
    Select,
    SetOperation,
    Source,
    Values,
    Window,
    With,
)

Change = Callable[[Expression], Expression]


def _window_parts(window: Window | None) -> Iterator[Expression]:
    if window is None:
        return
    yield from window.partition
    yield from (sort.expression for sort in window.order)
    for bound in (window.start, window.finish):
        if bound is not None and bound.offset is not None:
            yield bound.offset


def children(node: Expression) -> Iterator[Expression]:
    """The expressions directly inside one (not those of a query inside it)."""
    match node:
        case Operation():
            yield from node.operands
        case Cast():
            yield node.operand
        case QueryTest() if node.operand is not None:
            yield node.operand
        case Call():
            yield from node.arguments
            yield from (sort.expression for sort in node.order)
            if node.where is not None:
                yield node.where
            yield from _window_parts(node.window)


def walk(node: Expression) -> Iterator[Expression]:
    """The expression and all inside it, outermost first; queries inside are not entered."""
    yield node
    for child in children(node):
        yield from walk(child)


def _changed_window(window: Window | None, change: Change) -> Window | None:
    if window is None:
        return None
    return replace(
        window,
        partition=tuple(change(e) for e in window.partition),
        order=tuple(replace(s, expression=change(s.expression)) for s in window.order),
    )


def with_children(node: Expression, change: Change) -> Expression:
    """The same expression with each direct child put through `change`."""
    match node:
        case Operation():
            return replace(node, operands=tuple(change(e) for e in node.operands))
        case Cast():
            return replace(node, operand=change(node.operand))
        case QueryTest() if node.operand is not None:
            return replace(node, operand=change(node.operand))
        case Call():
            return replace(
                node,
                arguments=tuple(change(e) for e in node.arguments),
                order=tuple(replace(s, expression=change(s.expression)) for s in node.order),
                where=change(node.where) if node.where is not None else None,
                window=_changed_window(node.window, change),
            )
    return node


def clauses(select: Select) -> Iterator[Expression]:
    """Every expression that stands directly in a SELECT, but those of its FROM."""
    yield from (item.expression for item in select.items)
    yield from (e for e in (select.where, select.having, select.qualify) if e is not None)
    if select.grouping is not None:
        yield from select.grouping.all_keys()
    yield from (e for e, _, _ in select.tail.order if not isinstance(e, int))


def _in_relation(relation: Relation | None) -> Iterator[Expression]:
    match relation:
        case Derived():
            yield from everything(relation.query)
        case Join():
            yield from _in_relation(relation.left)
            yield from _in_relation(relation.right)
            if relation.on is not None:
                yield from deep(relation.on)
        case None | Source() | CteUse():
            return


def deep(node: Expression) -> Iterator[Expression]:
    """The expression and all inside it, those of queries inside it too."""
    for inner in walk(node):
        yield inner
        if isinstance(inner, QueryTest):
            yield from everything(inner.query)


def everything(query: Query) -> Iterator[Expression]:
    """Every expression in a query, those of the queries inside it too."""
    match query:
        case With():
            for _, inner in query.ctes:
                yield from everything(inner)
            yield from everything(query.query)
        case Values():
            for value in (value for row in query.rows for value in row):
                yield from deep(value)
        case Recursion():
            yield from everything(query.start)
            yield from everything(query.step)
        case SetOperation():
            yield from everything(query.left)
            yield from everything(query.right)
        case Select():
            yield from _in_relation(query.source)
            for clause in clauses(query):
                yield from deep(clause)


def _inside(relation: Relation | None) -> Iterator[Relation]:
    if relation is None:
        return
    yield relation
    match relation:
        case Derived():
            yield from relations(relation.query)
        case Join():
            yield from _inside(relation.left)
            yield from _inside(relation.right)
            if relation.on is not None:
                yield from _tested(relation.on)


def _tested(node: Expression) -> Iterator[Relation]:
    """Those of the queries that stand directly in an expression."""
    for inner in walk(node):
        if isinstance(inner, QueryTest):
            yield from relations(inner.query)


def relations(query: Query) -> Iterator[Relation]:
    """Every relation in a query, those of the queries inside it too; each once."""
    match query:
        case With():
            for _, inner in query.ctes:
                yield from relations(inner)
            yield from relations(query.query)
        case Recursion():
            yield from relations(query.start)
            yield from relations(query.step)
        case SetOperation():
            yield from relations(query.left)
            yield from relations(query.right)
        case Select():
            yield from _inside(query.source)
            for clause in clauses(query):
                yield from _tested(clause)
        case Values():
            for value in (value for row in query.rows for value in row):
                yield from _tested(value)


def with_clauses(select: Select, change: Change) -> Select:
    """The same SELECT with every expression that stands directly in it put through `change`."""

    def maybe(node: Expression | None) -> Expression | None:
        return change(node) if node is not None else None

    grouping = select.grouping
    if grouping is not None:
        grouping = replace(
            grouping,
            keys=tuple(change(k) for k in grouping.keys),
            sets=tuple((w, tuple(tuple(change(k) for k in one) for one in sets)) for w, sets in grouping.sets),
        )
    order = tuple((e if isinstance(e, int) else change(e), d, n) for e, d, n in select.tail.order)
    return replace(
        select, items=tuple(Item(i.name, change(i.expression)) for i in select.items), where=maybe(select.where),
        grouping=grouping, having=maybe(select.having), qualify=maybe(select.qualify),
        tail=replace(select.tail, order=order),
    )  # fmt: skip
