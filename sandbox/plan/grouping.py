"""GROUP BY: its keys, and the rule that outside aggregates only keys may be read."""

from __future__ import annotations

from typing import Literal

from sqlglot import exp

from .context import Context
from .dialect import place
from .errors import Refusal
from .expressions import read
from .forms import unsupported
from .scope import Scope
from .tree import Call, Cast, ColumnRef, Constant, Expression, Grouping, Item, QueryTest, Select
from .walking import children, deep, everything, walk, with_children, with_clauses

Keys = tuple[Expression, ...]


def has_aggregate(node: Expression) -> bool:
    """Whether an aggregate (not a window function) stands in the expression."""
    return any(isinstance(n, Call) and n.kind == "aggregate" and n.window is None for n in walk(node))


def _local(scope: Scope) -> set[str]:
    """The relations of this SELECT's own FROM."""
    return {ref.relation for o in scope.offers for f in o.fields for ref in walk(f.expression)
            if isinstance(ref, ColumnRef)}  # fmt: skip


def _groups_by_itself(node: Expression, local: set[str]) -> bool:
    """Whether GROUP BY ALL takes it for a key: DuckDB leaves constants out, and so counts nothing as 0."""
    if any(isinstance(n, Call) and (n.kind == "aggregate" or n.window is not None) for n in walk(node)):
        return False
    return any(isinstance(n, ColumnRef) and n.relation in local for n in deep(node))


def read_grouping(node: exp.Expression | None, items: tuple[Item, ...], scope: Scope,
                  context: Context) -> Grouping | None:  # fmt: skip
    """GROUP BY as keys and sets; None if there is none."""
    if node is None:
        return None
    if node.args.get("all"):
        keys_of_all = tuple(i.expression for i in items if _groups_by_itself(i.expression, _local(scope)))
        return Grouping(keys_of_all) if keys_of_all else None
    if not node.expressions:
        raise Refusal("sql.syntax", *place(node))
    keys: list[Expression] = []
    written: dict[Expression, str] = {}
    sets: list[tuple[Literal["ROLLUP", "CUBE", "GROUPING SETS"], tuple[Keys, ...]]] = []
    with scope.clause(aggregates=False, windows=False):
        for one in [
            *node.expressions,
            *(s for name in ("rollup", "cube", "grouping_sets") for s in node.args.get(name) or []),
        ]:
            match one:
                case exp.Rollup():
                    sets.append(("ROLLUP", _sets(one, written, items, scope, context)))
                case exp.Cube():
                    sets.append(("CUBE", _sets(one, written, items, scope, context)))
                case exp.GroupingSets():
                    sets.append(("GROUPING SETS", _sets(one, written, items, scope, context)))
                case _:
                    keys.append(_key(one, items, scope, context))
    return Grouping(tuple(keys), tuple(sets))


def _sets(node: exp.Expression, written: dict[Expression, str], items: tuple[Item, ...], scope: Scope,
          context: Context) -> tuple[Keys, ...]:  # fmt: skip
    """`written`: how each key of a set was named before."""
    found = []
    for one in node.expressions:
        members = (
            one.expressions if isinstance(one, exp.Tuple) else [one.this if isinstance(one, exp.Paren) else one]
        )
        if any(isinstance(m, exp.Rollup | exp.Cube | exp.GroupingSets) for m in members):
            raise unsupported(one)
        found.append(tuple(_key(m, items, scope, context) for m in members))
        for key, member in zip(found[-1], members, strict=True):
            # Two names of one value are totalled apart by the engine, and which of them is NULL we could not say.
            if written.setdefault(key, member.sql()) != member.sql():
                raise Refusal("sql.not_supported", *place(member), form=f"{member}", use="ROLLUP (a, b)")
    return tuple(found)


def _key(node: exp.Expression, items: tuple[Item, ...], scope: Scope, context: Context) -> Expression:
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        if not 1 <= int(node.name) <= len(items):
            raise Refusal("sql.no_such_position", *place(node), limit=len(items))
        found = items[int(node.name) - 1].expression
        if has_aggregate(found):
            raise Refusal("sql.misplaced_aggregate", *place(node), use="HAVING")
        return found
    return read(node, scope, context)


def with_named_constants(select: Select) -> Select:
    """The same, each constant that is a key of some set written as a cast wherever it stands.

    ROLLUP makes such a key NULL in its totals; a bare constant in GROUP BY would be a position, and one in the
    list would not be known for that key.
    """
    if select.grouping is None or not select.grouping.sets:
        return select
    constants = {key for key in select.grouping.all_keys() if isinstance(key, Constant)}

    def named(node: Expression) -> Expression:
        return Cast(node.type, node) if node in constants else with_children(node, named)

    return with_clauses(select, named) if constants else select


def is_grouped(select: Select) -> bool:
    """Whether the answer has one row a group."""
    parts = [item.expression for item in select.items] + [
        e for e, _, _ in select.tail.order if not isinstance(e, int)
    ]
    parts += [e for e in (select.having, select.qualify) if e is not None]
    return select.grouping is not None or select.having is not None or any(has_aggregate(e) for e in parts)


def check_grouped(select: Select, scope: Scope) -> None:
    """Refusal if a grouped SELECT reads a column that is neither a key nor inside an aggregate."""
    if not is_grouped(select):
        return
    keys = select.grouping.all_keys() if select.grouping else ()
    local = _local(scope)
    parts = [item.expression for item in select.items] + [
        e for e, _, _ in select.tail.order if not isinstance(e, int)
    ]
    parts += [e for e in (select.having, select.qualify) if e is not None]
    for part in parts:
        _check(part, keys, local)


def _check(node: Expression, keys: Keys, local: set[str]) -> None:
    if node in keys or (isinstance(node, Call) and node.kind == "aggregate" and node.window is None):
        return
    if isinstance(node, ColumnRef) and node.relation in local:
        raise Refusal("sql.not_grouped", node.at, node.end, use=f"GROUP BY {node.column if node.table else '…'}")
    for child in children(node):
        _check(child, keys, local)
    if isinstance(node, QueryTest):
        for inner in everything(node.query):
            if isinstance(inner, ColumnRef) and inner not in keys:
                _check(inner, keys, local)
