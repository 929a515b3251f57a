"""From sqlglot's queries to our own: SELECT, set operations, WITH."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from .context import Context
from .dialect import place
from .distinct import distinct_on, is_on
from .errors import Refusal
from .expressions import read, read_condition
from .forms import unsupported
from .grouping import check_grouped, read_grouping, with_named_constants
from .limits import NAME_CHARACTERS, OUTPUT_COLUMNS
from .recursion import is_recursive, read_recursive
from .relations import read_from
from .scope import Cte, Scope, nearest
from .tree import (
    Call,
    Cast,
    ColumnRef,
    Constant,
    Derived,
    Expression,
    Item,
    Query,
    Select,
    SetOperation,
    Tail,
    With,
)
from .types import NULL, Type, unify
from .values import read_values
from .walking import walk


def read_query(node: exp.Expression, around: Scope | None, context: Context) -> Query:
    """The query that `node` is. `around`: the scope that it may refer to, if it stands inside another."""
    context.enter(None, None)
    scope = Scope(parent=around)
    ctes = _ctes(node, scope, context)
    found = _body(node, scope, context)
    context.leave()
    return With(ctes, found) if ctes else found


def _body(node: exp.Expression, scope: Scope, context: Context) -> Query:
    if isinstance(node, exp.Subquery):
        inner = read_query(node.this, scope, context)
        return _with_tail(inner, node, scope, context)
    if isinstance(node, exp.Select):
        return _select(node, scope, context)
    if isinstance(node, exp.Union | exp.Intersect | exp.Except):
        return _set_operation(node, scope, context)
    if isinstance(node, exp.Values):
        return read_values(node, context)
    raise unsupported(node)


def _ctes(node: exp.Expression, scope: Scope, context: Context) -> tuple[tuple[str, Query], ...]:
    clause = node.args.get("with_")
    if clause is None:
        return ()
    found: list[tuple[str, Query]] = []
    for cte in clause.expressions:
        if clause.args.get("recursive") and is_recursive(cte):
            recursion = read_recursive(cte, scope, context)
            scope.ctes[cte.alias.lower()] = Cte(recursion.name, recursion.columns, recursion)
            found.append((recursion.name, recursion))
            continue
        inner = read_query(cte.this, scope, context)
        name, columns = context.relation("q"), inner.columns
        renamed = [column.name for column in cte.args["alias"].args.get("columns") or []]
        if len(renamed) > len(columns):
            raise Refusal("sql.column_count", *place(cte), expected=len(columns), found=len(renamed))
        columns = tuple((new, t) for new, (_, t) in zip(renamed, columns, strict=False)) + columns[len(renamed) :]
        scope.ctes[cte.alias.lower()] = Cte(name, columns, inner)
        found.append((name, inner))
    return tuple(found)


def _select(node: exp.Select, scope: Scope, context: Context) -> Query:
    scope.windows = {w.name.lower(): w for w in node.args.get("windows") or []}
    source = read_from(node, scope, context)
    items = _items(node, scope, context)
    scope.aliases = {i.name.lower(): i.expression for i in reversed(items)}
    where = _clause(node.args.get("where"), scope, context, aggregates=False, windows=False)
    grouping = read_grouping(node.args.get("group"), items, scope, context)
    having = _clause(node.args.get("having"), scope, context, aggregates=True, windows=False)
    qualify = _clause(node.args.get("qualify"), scope, context, aggregates=True, windows=True)
    named = node.args.get("distinct")
    distinct = named is not None and not is_on(named)
    if qualify is not None and not any(isinstance(n, Call) and n.window is not None for n in walk(qualify)):
        raise Refusal("sql.not_supported", *place(node.args["qualify"]), form="QUALIFY", use="WHERE …")
    select = with_named_constants(Select(items, source, distinct, where, grouping, having, qualify))
    select = replace(select, tail=_tail(node, items, scope, context, outside=distinct))
    if named is not None and is_on(named):
        select = distinct_on(select, named, scope, context)
    check_grouped(select, scope)
    return select


def _clause(node: exp.Expression | None, scope: Scope, context: Context, *, aggregates: bool,
            windows: bool) -> Expression | None:  # fmt: skip
    if node is None:
        return None
    with scope.clause(aggregates=aggregates, windows=windows):
        return read_condition(node.this, scope, context)


def _items(node: exp.Select, scope: Scope, context: Context) -> tuple[Item, ...]:
    items: list[Item] = []
    with scope.clause(aggregates=True, windows=True):
        for one in node.expressions:
            items.extend(_item(one, scope, context))
            for item in items[-1:]:
                scope.aliases.setdefault(item.name.lower(), item.expression)
    if not items:
        raise Refusal("sql.syntax", *place(node))
    if len(items) > OUTPUT_COLUMNS:
        raise Refusal("sql.too_many_columns", *place(node), limit=OUTPUT_COLUMNS)
    return tuple(items)


def _item(node: exp.Expression, scope: Scope, context: Context) -> list[Item]:
    if isinstance(node, exp.Star):
        return _star(node, "", scope, context)
    if isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        return _star(node.this, node.table, scope, context)
    if isinstance(node, exp.Alias):
        name = node.alias
        if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
            raise Refusal("sql.name_not_usable", *place(node.args.get("alias")), limit=NAME_CHARACTERS)
        return [Item(name, read(node.this, scope, context))]
    return [Item(_name(node), read(node, scope, context))]


def _name(node: exp.Expression) -> str:
    while isinstance(node, exp.Window | exp.Filter | exp.Paren | exp.Cast):
        node = node.this
    if isinstance(node, exp.Column):
        return node.name
    if isinstance(node, exp.Anonymous):
        return node.name.lower()
    return "value" if isinstance(node, exp.Literal) else type(node).__name__.lower()


def _star(node: exp.Expression, table: str, scope: Scope, context: Context) -> list[Item]:
    if not scope.offers:
        raise Refusal("sql.not_supported", *place(node), form="*", use="SELECT … FROM …")
    fields = scope.star()
    if table:
        offer = scope.offered(table)
        if offer is None:
            raise Refusal("sql.unknown_table", *place(node), use=nearest(table, [o.alias for o in scope.offers]),
                          tables=", ".join(o.alias for o in scope.offers))  # fmt: skip
        fields = list(offer.fields)
    left_out = {e.name.lower(): e for e in node.args.get("except_") or []}
    for name, word in left_out.items():
        if name not in {f.name.lower() for f in fields}:
            scope.resolve(word.name, table or "*", *place(word))
    at, end = place(node)
    replaced = {one.alias.lower(): one for one in node.args.get("replace") or []}
    renamed = {one.this.name.lower(): one.alias for one in node.args.get("rename") or []}
    for name, word in [*replaced.items(), *((n, node) for n in renamed)]:
        if name in left_out or name not in {f.name.lower() for f in fields}:
            scope.resolve(name, table or "*", *place(word.args.get("alias") or word))
    kept = [
        Item(renamed.get(f.name.lower(), f.name), read(replaced[f.name.lower()].this, scope, context)
             if f.name.lower() in replaced else _placed(f.expression, at, end))
        for f in fields if f.name.lower() not in left_out
    ]  # fmt: skip
    for item in kept:
        context.grow(*place(node))
        context.note(item.expression)
    return kept


def _placed(expression: Expression, at: int | None, end: int | None) -> Expression:
    return replace(expression, at=at, end=end) if isinstance(expression, ColumnRef) else expression


def _limit(node: exp.Expression | None, word: str) -> int | None:
    if node is None:
        return None
    value = node.expression
    if not isinstance(node, exp.Limit | exp.Offset) or not isinstance(value, exp.Literal) or value.is_string:
        raise Refusal("sql.not_supported", *place(node), form=word, use=f"{word} 10")
    if not value.name.isdigit() or int(value.name) >= 2**62:
        raise Refusal("sql.not_supported", *place(node), form=word, use=f"{word} 10")
    return int(value.name)


def _tail(
    node: exp.Expression, items: tuple[Item, ...], scope: Scope | None, context: Context, *, outside: bool
) -> Tail:
    """ORDER BY, LIMIT, OFFSET. `outside`: order may only name columns of the answer; without a scope, by name."""
    order = node.args.get("order")
    sorts: list[tuple[int | Expression, bool, bool]] = []
    for one in order.expressions if order is not None else ():
        descending, nulls_first = bool(one.args.get("desc")), bool(one.args.get("nulls_first"))
        if isinstance(one.this, exp.Var | exp.Column) and one.this.name.upper() == "ALL":
            context.grow(*place(one), len(items))
            sorts.extend((i + 1, descending, nulls_first) for i in range(len(items)))
            continue
        sorts.append((_sort_key(one.this, items, scope, context, outside=outside), descending, nulls_first))
    return Tail(tuple(sorts), _limit(node.args.get("limit"), "LIMIT"), _limit(node.args.get("offset"), "OFFSET"))


def _sort_key(node: exp.Expression, items: tuple[Item, ...], scope: Scope | None, context: Context, *,
              outside: bool) -> int | Expression:  # fmt: skip
    position = position_of(node, items)
    if position is not None:
        return position
    if scope is None:
        raise Refusal("sql.order_not_selected", *place(node))
    with scope.clause(aggregates=True, windows=True):
        expression = read(node, scope, context)
    for index, item in enumerate(items):
        if item.expression == expression:
            return index + 1
    if outside:
        raise Refusal("sql.order_not_selected", *place(node))
    return expression


def position_of(node: exp.Expression, items: tuple[Item, ...]) -> int | None:
    """The place in the select list that a number or an alias means; None if it is an expression."""
    if isinstance(node, exp.Literal) and not node.is_string and node.name.isdigit():
        if not 1 <= int(node.name) <= len(items):
            raise Refusal("sql.no_such_position", *place(node), limit=len(items))
        return int(node.name)
    if isinstance(node, exp.Column) and not node.args.get("table"):
        name = node.name.lower()
        return next((i + 1 for i, item in enumerate(items) if item.name.lower() == name), None)
    return None


def _with_tail(inner: Query, node: exp.Expression, scope: Scope, context: Context) -> Query:
    items = tuple(Item(name, _placeholder(t)) for name, t in inner.columns)
    tail = _tail(node, items, None, context, outside=True)
    if tail == Tail():
        return inner
    relation = context.relation()
    columns = tuple(Item(name, ColumnRef(t, relation, f"c{i}")) for i, (name, t) in enumerate(inner.columns))
    return Select(columns, Derived(relation, inner), tail=tail)


def _placeholder(given: Type) -> Expression:
    return Cast(given, Constant(NULL, "null"))


def _set_operation(node: exp.Expression, scope: Scope, context: Context) -> Query:
    left, right = read_query(node.this, scope, context), read_query(node.expression, scope, context)
    if len(left.columns) != len(right.columns):
        raise Refusal(
            "sql.column_count", *place(node.expression), expected=len(left.columns), found=len(right.columns)
        )
    columns = []
    for (name, a), (_, b) in zip(left.columns, right.columns, strict=True):
        unified = unify(a, b)
        if unified is None:
            raise Refusal("sql.type_mismatch", *place(node.expression), left=a.name, right=b.name,
                          use=f"CAST(… AS {a.name})")  # fmt: skip
        columns.append((name, unified))
    operator = (
        "UNION" if isinstance(node, exp.Union) else "INTERSECT" if isinstance(node, exp.Intersect) else "EXCEPT"
    )
    items = tuple(Item(name, _placeholder(t)) for name, t in columns)
    tail = _tail(node, items, None, context, outside=True)
    return SetOperation(operator, not node.args.get("distinct"), left, right, tuple(columns), tail)  # type: ignore[arg-type]
