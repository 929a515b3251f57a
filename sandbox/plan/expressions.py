"""From sqlglot's expressions to our own typed ones. A node type that has no reader here is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from . import calls
from .arithmetic import (
    Place,
    alike,
    calculated,
    castable,
    compared,
    condition,
    fit,
    joined,
    mismatch,
    negated,
)
from .constants import read_boolean, read_literal, read_null, read_type
from .context import Context
from .dialect import place
from .elsewhere import INSTEAD, NONDETERMINISTIC
from .errors import Refusal
from .forms import unsupported
from .limits import IN_LIST
from .scope import Scope
from .tree import Cast, Constant, Expression, Operation, QueryTest
from .tuples import compared_rows, row_in
from .types import BOOLEAN, NULL, VARCHAR, Type, list_of, unify
from .walking import deep

Reader = Callable[[exp.Expression, Scope, Context], Expression]


_HERE: Place = (None, None)
"""The place of the node being read: `read` fills it in, since looking for it costs more than reading the node."""


def read(node: exp.Expression | None, scope: Scope, context: Context) -> Expression:
    """The typed expression that `node` means in `scope`. Refusal if it is not let through."""
    reader = _READERS.get(type(node))
    if reader is None or node is None:
        raise unsupported(node)
    try:
        context.enter(None, None)
        found = reader(node, scope, context)
        context.leave()
    except Refusal as refusal:
        if refusal.at is None:
            refusal.at, refusal.end = place(node)
        raise
    return found


def read_condition(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    """The same, of something that must be true or false."""
    found = read(node, scope, context)
    return found if found.type == BOOLEAN else condition(found, place(node))


def _column(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    if isinstance(node.this, exp.Star) or node.args.get("db"):
        raise unsupported(node.this)
    table = node.args.get("table")
    at, end = place(node.this)
    name = node.this.name
    if table is None and name.lower() in NONDETERMINISTIC and not node.this.args.get("quoted"):
        raise Refusal("sql.nondeterministic", at, end, use=INSTEAD.get(name.lower(), ""))
    quoted = bool(node.this.args.get("quoted"))
    found = scope.resolve(name, table.name if table is not None else "", at, end, quoted=quoted)
    context.grow(at, end, sum(1 for _ in deep(found)))
    context.note(found)
    return found


def _paren(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    return read(node.this, scope, context)


def _chain(symbol: str) -> Reader:
    def reader(node: exp.Expression, scope: Scope, context: Context) -> Expression:
        parts: list[exp.Expression] = []
        kind, at = type(node), node
        while isinstance(at, kind):
            parts.append(at.expression)
            at = at.this
        parts.append(at)
        operands = tuple(read_condition(part, scope, context) for part in reversed(parts))
        return Operation(BOOLEAN, symbol, operands)

    return reader


def _not(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    return Operation(BOOLEAN, "not", (read_condition(node.this, scope, context),))


_COMPARISONS = exp.EQ | exp.NEQ | exp.LT | exp.LTE | exp.GT | exp.GTE | exp.NullSafeEQ | exp.NullSafeNEQ


def _comparison(symbol: str) -> Reader:
    def reader(node: exp.Expression, scope: Scope, context: Context) -> Expression:
        if isinstance(node.this, _COMPARISONS) or isinstance(node.expression, _COMPARISONS):
            # DuckDB does not read 1 < a < 3 either: nobody could say what is meant.
            raise Refusal("sql.not_supported", *place(node), form="a < b < c", use="a < b AND b < c")
        if isinstance(node.this, exp.Tuple) or isinstance(node.expression, exp.Tuple):
            return compared_rows(symbol, node, lambda one: read(one, scope, context))
        if symbol == "=" and isinstance(node.expression, exp.Any):
            return _any(read(node.this, scope, context), node.expression, scope, context)
        left, right = read(node.this, scope, context), read(node.expression, scope, context)
        if left.type == right.type:
            return Operation(BOOLEAN, symbol, (left, right))
        return compared(symbol, left, right, _HERE)

    return reader


def _calculation(symbol: str) -> Reader:
    def reader(node: exp.Expression, scope: Scope, context: Context) -> Expression:
        left, right = read(node.this, scope, context), read(node.expression, scope, context)
        return calculated(symbol, left, right, _HERE)

    return reader


def _bits(symbol: str) -> Reader:
    def reader(node: exp.Expression, scope: Scope, context: Context) -> Expression:
        left, right = read(node.this, scope, context), read(node.expression, scope, context)
        found = unify(left.type, right.type)
        if found is None or found.kind not in {"INTEGER", "BIGINT"}:
            raise mismatch(left.type, right.type, place(node))
        return Operation(found, symbol, (left, right))

    return reader


def _negative(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    return negated(read(node.this, scope, context), _HERE)


def _joined(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    return joined(read(node.this, scope, context), read(node.expression, scope, context), _HERE)


def _is(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    operand = read(node.this, scope, context)
    match node.expression:
        case exp.Null():
            return Operation(BOOLEAN, "is null", (operand,))
        case exp.Boolean() as boolean:
            symbol = "is true" if boolean.this else "is false"
            return Operation(BOOLEAN, symbol, (condition(operand, place(node)),))
    raise unsupported(node)


def _between(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    if node.args.get("symmetric"):
        raise unsupported(node)
    parts = tuple(read(p, scope, context) for p in (node.this, node.args["low"], node.args["high"]))
    operands, _ = alike(parts, _HERE)
    return Operation(BOOLEAN, "between", operands)


def _like(symbol: str) -> Reader:
    def reader(node: exp.Expression, scope: Scope, context: Context) -> Expression:
        return _matched(symbol, node, scope, context)

    return reader


def _matched(symbol: str, node: exp.Expression, scope: Scope, context: Context, escape: str = "") -> Expression:
    operands: tuple[Expression, ...] = (read(node.this, scope, context), read(node.expression, scope, context))
    for operand in operands:
        if operand.type.kind not in {"VARCHAR", "NULL"}:
            raise mismatch(VARCHAR, operand.type, place(node))
    if escape:
        symbol, operands = f"{symbol} escape", (*operands, Constant(VARCHAR, escape))
    found = Operation(BOOLEAN, symbol, operands)
    return Operation(BOOLEAN, "not", (found,)) if node.args.get("negate") else found


def _escape(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    like, escape = node.this, node.expression
    single = isinstance(escape, exp.Literal) and escape.is_string and len(escape.name) == 1
    if not (single and isinstance(like, exp.Like | exp.ILike)):
        raise unsupported(node)
    return _matched("like" if isinstance(like, exp.Like) else "ilike", like, scope, context, escape.name)


def _in(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    if isinstance(node.this, exp.Tuple):
        return row_in(node, lambda one: read(one, scope, context), scope, context)
    operand = read(node.this, scope, context)
    if (query := node.args.get("query")) is not None:
        return _in_query(operand, query, node, scope, context)
    items = node.expressions
    if not items or node.args.get("field") is not None or node.args.get("unnest") is not None:
        raise unsupported(node)
    return _among(operand, items, scope, context)


def _any(operand: Expression, told: exp.Any, scope: Scope, context: Context) -> Expression:
    """One of what a query answers, or of a list that is written out."""
    among = told.this.unnest()
    if isinstance(among, exp.Array) and among.expressions:
        return _among(operand, among.expressions, scope, context)
    if not isinstance(among, exp.Query):
        raise unsupported(told)
    return _in_query(operand, told.this, told, scope, context)


def _among(operand: Expression, items: Sequence[exp.Expression], scope: Scope, context: Context) -> Expression:
    if len(items) > IN_LIST:
        raise Refusal("sql.list_too_long", *place(items[IN_LIST]), limit=IN_LIST)
    parts, _ = alike((operand, *(read(item, scope, context) for item in items)), _HERE)
    return Operation(BOOLEAN, "in", parts)


def _in_query(operand: Expression, query: exp.Expression, node: exp.Expression, scope: Scope,
              context: Context) -> Expression:  # fmt: skip
    inner = context.read_query(query, scope, context)
    column = _single(inner.columns, node)
    alike((operand, Cast(column, Constant(NULL, "null"))), _HERE)
    return QueryTest(BOOLEAN, "in", inner, fit(operand, column))


def _single(columns: tuple[tuple[str, Type], ...], node: exp.Expression) -> Type:
    if len(columns) != 1:
        raise Refusal("sql.column_count", *place(node), expected=1, found=len(columns))
    return columns[0][1]


def _exists(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    return QueryTest(BOOLEAN, "exists", context.read_query(node.this, scope, context))


def _subquery(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    inner = context.read_query(node, scope, context)
    return QueryTest(_single(inner.columns, node), "value", inner)


def _case(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    if not node.args["ifs"]:
        raise Refusal("sql.syntax", *place(node))
    tested = read(node.this, scope, context) if node.this is not None else None
    conditions, answers = [], []
    for branch in node.args["ifs"]:
        conditions.append(_when(tested, branch.this, scope, context))
        answers.append(read(branch.args["true"], scope, context))
    otherwise = node.args.get("default")
    answers.append(read(otherwise, scope, context) if otherwise is not None else Constant(NULL, "null"))
    fitted, found = alike(tuple(answers), _HERE)
    pairs = tuple(e for pair in zip(conditions, fitted[:-1], strict=True) for e in pair)
    return Operation(found, "case", (*pairs, fitted[-1]))


def _when(tested: Expression | None, node: exp.Expression, scope: Scope, context: Context) -> Expression:
    if tested is None:
        return read_condition(node, scope, context)
    context.grow(*place(node), sum(1 for _ in deep(tested)))
    return compared("=", tested, read(node, scope, context), _HERE)


def _cast(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    operand, wanted = read(node.this, scope, context), read_type(node.args["to"], node)
    if node.args.get("format") is not None or not castable(operand.type, wanted):
        raise mismatch(wanted, operand.type, place(node))
    return Cast(wanted, operand, forgiving=isinstance(node, exp.TryCast))


def _array(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    if not node.expressions:
        raise unsupported(node)
    if len(node.expressions) > IN_LIST:
        raise Refusal("sql.list_too_long", *place(node), limit=IN_LIST)
    parts, found = alike(tuple(read(e, scope, context) for e in node.expressions), _HERE)
    return Operation(list_of(found), "list", parts)


_READERS: dict[type, Reader] = {
    exp.Literal: read_literal, exp.Boolean: read_boolean, exp.Null: read_null, exp.Column: _column,
    exp.Paren: _paren, exp.And: _chain("and"), exp.Or: _chain("or"), exp.Not: _not, exp.Is: _is,
    exp.EQ: _comparison("="), exp.NEQ: _comparison("<>"), exp.LT: _comparison("<"), exp.LTE: _comparison("<="),
    exp.GT: _comparison(">"), exp.GTE: _comparison(">="), exp.NullSafeEQ: _comparison("is not distinct from"),
    exp.NullSafeNEQ: _comparison("is distinct from"), exp.Between: _between, exp.In: _in, exp.Exists: _exists,
    exp.Add: _calculation("+"), exp.Sub: _calculation("-"), exp.Mul: _calculation("*"), exp.Div: _calculation("/"),
    exp.IntDiv: _calculation("//"), exp.Mod: _calculation("%"), exp.Pow: _calculation("**"), exp.DPipe: _joined,
    exp.Neg: _negative, exp.Like: _like("like"), exp.ILike: _like("ilike"), exp.Escape: _escape,
    exp.Subquery: _subquery, exp.Case: _case, exp.Cast: _cast, exp.TryCast: _cast,
    exp.Interval: calls.read_interval,
    exp.BitwiseAnd: _bits("&"), exp.BitwiseOr: _bits("|"), exp.BitwiseLeftShift: _bits("<<"),
    exp.BitwiseRightShift: _bits(">>"), exp.Bracket: calls.read_bracket,
    exp.RegexpLike: calls.read_operator("regexp_matches"), exp.SimilarTo: calls.read_operator("regexp_full_match"),
    exp.JSONExtract: calls.read_operator("json_extract"), exp.WithinGroup: calls.read_within_group,
    exp.JSONExtractScalar: calls.read_operator("json_extract_string"),
    exp.Array: _array, exp.Anonymous: calls.read_call, exp.Extract: calls.read_extract,
    exp.Window: calls.read_window, exp.Filter: calls.read_filter, exp.IgnoreNulls: calls.read_ignore_nulls,
}  # fmt: skip
calls.bind(read)
