"""Calls of functions, aggregates and window functions: looked up in the table, arguments checked, answer typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from sqlglot import exp

from .arguments import answer_type, checked
from .arithmetic import condition
from .constants import read_interval as constant_interval
from .context import Context
from .dialect import place
from .elsewhere import look_up
from .errors import Refusal
from .functions import FUNCTIONS, Function
from .misfits import DISTINCT_ROWS
from .scope import Scope, nearest
from .tree import Bound, Call, Constant, Expression, Sort, Window
from .types import VARCHAR

_read: Callable[[exp.Expression | None, Scope, Context], Expression]


def bind(read: Callable[[exp.Expression | None, Scope, Context], Expression]) -> None:
    """Gives this module the reader of expressions (calls contain expressions and expressions contain calls)."""
    global _read  # noqa: PLW0603
    _read = read


class _Arguments:
    """The arguments of a call with what sqlglot wraps round them: DISTINCT, ORDER BY, IGNORE NULLS."""

    def __init__(self, node: exp.Expression) -> None:
        self.nodes = list(node.expressions)
        self.order: list[exp.Expression] = []
        self.distinct = False
        self.ignore_nulls = False
        while self.nodes and isinstance(self.nodes[-1], exp.Order | exp.Distinct | exp.IgnoreNulls):
            self._unwrap(self.nodes.pop())

    def _unwrap(self, last: exp.Expression) -> None:
        if isinstance(last, exp.Order):
            self.order = last.expressions
            self.nodes.append(last.this)
        elif isinstance(last, exp.Distinct):
            self.distinct = True
            self.nodes.extend(last.expressions)
        else:
            self.ignore_nulls = True
            self.nodes.append(last.this)


def read_sorts(nodes: list[exp.Expression], scope: Scope, context: Context) -> tuple[Sort, ...]:
    """ORDER BY inside an aggregate or a window."""
    return tuple(
        Sort(_read(n.this, scope, context), bool(n.args.get("desc")), bool(n.args.get("nulls_first")))
        for n in nodes
    )


def read_call(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    """name(…) that stands by itself."""
    return _call(node, scope, context, windowed=False)


def _call(node: exp.Expression, scope: Scope, context: Context, *, windowed: bool) -> Call:
    at, end = place(node)
    context.grow(at, end)
    function = look_up(node.name.lower(), at, end)
    given = _Arguments(node)
    _check_place(function, given, scope, node, windowed=windowed)
    inside_aggregate = function.kind == "aggregate" and not windowed
    with scope.clause(aggregates=scope.aggregates_allowed and not inside_aggregate,
                      windows=scope.windows_allowed and function.kind == "scalar"):  # fmt: skip
        starred = len(given.nodes) == 1 and isinstance(given.nodes[0], exp.Star)
        if starred and (function.name != "count" or given.nodes[0].args.get("except_")):
            raise Refusal("sql.wrong_arguments", at, end, use=function.signature)
        if starred and given.distinct:
            # The engine would refuse it only in the jail, at the price of the question.
            raise Refusal("sql.wrong_arguments", at, end, use=f"{function.signature}; {DISTINCT_ROWS}")
        arguments = () if starred else tuple(_read(n, scope, context) for n in given.nodes)
        order = read_sorts(given.order, scope, context)
    arguments = checked(function, arguments, (at, end))
    if function.determinism == "sorted" and not order and not windowed:
        order = (Sort(arguments[0], descending=False, nulls_first=False),)
    return Call(
        answer_type(function, arguments), function.name, function.kind, arguments, given.distinct, order,
        ignore_nulls=given.ignore_nulls, at=at, end=end,
    )  # fmt: skip


def _check_place(
    function: Function, given: _Arguments, scope: Scope, node: exp.Expression, *, windowed: bool
) -> None:
    at, end = place(node)
    if function.kind == "scalar" and (windowed or given.distinct or given.order or given.ignore_nulls):
        raise Refusal("sql.wrong_arguments", at, end, use=function.signature)
    if function.kind == "window" and not windowed:
        raise Refusal("sql.misplaced_window", at, end, use=f"{function.name}(…) OVER (ORDER BY …)")
    if windowed and not scope.windows_allowed:
        raise Refusal("sql.misplaced_window", at, end, use="QUALIFY")
    if function.kind == "aggregate" and not windowed and not scope.aggregates_allowed:
        raise Refusal("sql.misplaced_aggregate", at, end, use="HAVING")
    if given.ignore_nulls and function.name not in {"lag", "lead", "first_value", "last_value", "nth_value"}:
        raise Refusal("sql.not_supported", at, end, form="IGNORE NULLS", use="FILTER (WHERE x IS NOT NULL)")
    if function.determinism == "order" and not given.order and not windowed:
        raise Refusal("sql.nondeterministic", at, end, use=f"{function.name}(x ORDER BY y)")


def read_within_group(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    """aggregate(…) WITHIN GROUP (ORDER BY …) that stands by itself."""
    return read_call(_normal(node), scope, context)


_FROM_GROUP = {"percentile_cont": "quantile_cont", "percentile_disc": "quantile_disc", "mode": "mode",
               "quantile_cont": "quantile_cont", "quantile_disc": "quantile_disc"}  # fmt: skip


def _normal(node: exp.Expression) -> exp.Expression:
    """WITHIN GROUP written as the arguments that the table's functions take."""
    if not isinstance(node, exp.WithinGroup):
        return node
    call, order = node.this, node.expression
    name = call.name.lower() if isinstance(call, exp.Anonymous) else ""
    if name in {"listagg", "string_agg", "group_concat", "array_agg", "list"}:
        last = exp.Order(this=call.expressions[-1], expressions=order.expressions) if call.expressions else order
        return _renamed(call, name, [*call.expressions[:-1], last])
    by = order.expressions
    if name not in _FROM_GROUP or len(by) != 1 or by[0].args.get("desc"):
        raise Refusal("sql.not_supported", *place(node), form="WITHIN GROUP", use="quantile_cont(x, 0.5)")
    return _renamed(call, _FROM_GROUP[name], [by[0].this, *call.expressions])


def _renamed(call: exp.Expression, name: str, arguments: list[exp.Expression]) -> exp.Expression:
    written = exp.Anonymous(this=name, expressions=arguments)
    written.meta.update(call.meta)
    return written


def read_operator(name: str) -> Callable[[exp.Expression, Scope, Context], Expression]:
    """An operator that is a function of the table: x ~ 'a', x -> 'a', x[1]."""

    def reader(node: exp.Expression, scope: Scope, context: Context) -> Expression:
        at, end = place(node)
        given = tuple(_read(part, scope, context) for part in (node.this, node.expression))
        function = FUNCTIONS[name]
        arguments = checked(function, given, (at, end))
        return Call(answer_type(function, arguments), name, "scalar", arguments, at=at, end=end)

    return reader


def read_bracket(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    """xs[1] and xs[1:3]."""
    parts = node.expressions
    inside = [parts[0].this, parts[0].expression] if len(parts) == 1 and isinstance(parts[0], exp.Slice) else parts
    if not inside or None in inside:
        raise Refusal("sql.not_supported", *place(node), form="[…]", use="list_slice(xs, 1, 3)")
    function = FUNCTIONS["list_extract" if len(inside) == 1 else "list_slice"]
    given = tuple(_read(part, scope, context) for part in (node.this, *inside))
    arguments = checked(function, given, place(node))
    return Call(answer_type(function, arguments), function.name, "scalar", arguments)


_INTERVALS = {"SECOND": "to_seconds", "MINUTE": "to_minutes", "HOUR": "to_hours", "DAY": "to_days",
              "WEEK": "to_weeks", "MONTH": "to_months", "QUARTER": "to_quarters", "YEAR": "to_years"}  # fmt: skip


def read_interval(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    """INTERVAL 3 DAY, INTERVAL '3 days', INTERVAL (x) DAY."""
    unit = node.args.get("unit")
    name = _INTERVALS.get(unit.name.upper().removesuffix("S")) if isinstance(unit, exp.Var) else None
    if name is None or not isinstance(node.this, exp.Paren | exp.Column):
        return constant_interval(node, scope, context)
    function = FUNCTIONS[name]
    arguments = checked(function, (_read(node.this, scope, context),), place(node))
    return Call(answer_type(function, arguments), name, "scalar", arguments)


def read_extract(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    """EXTRACT(part FROM x), which is date_part('part', x)."""
    function = FUNCTIONS["date_part"]
    part = Constant(VARCHAR, node.this.name.lower())
    arguments = checked(function, (part, _read(node.expression, scope, context)), place(node))
    return Call(answer_type(function, arguments), function.name, "scalar", arguments)


def read_filter(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    """aggregate(…) FILTER (WHERE …)."""
    return _filtered(node, scope, context, windowed=False)


def _filtered(node: exp.Expression, scope: Scope, context: Context, *, windowed: bool) -> Call:
    inner = _normal(node.this)
    if not isinstance(inner, exp.Anonymous):
        raise Refusal("sql.not_supported", *place(node), form="FILTER", use="sum(x) FILTER (WHERE …)")
    call = _call(inner, scope, context, windowed=windowed)
    if call.kind != "aggregate":
        raise Refusal("sql.not_supported", *place(node), form="FILTER", use="sum(x) FILTER (WHERE …)")
    with scope.clause(aggregates=scope.aggregates_allowed and windowed, windows=False):
        where = condition(_read(node.expression.this, scope, context), place(node.expression))
    return replace(call, where=where)


def read_ignore_nulls(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    """lag(x) IGNORE NULLS outside a window has no meaning."""
    raise Refusal("sql.not_supported", *place(node), form="IGNORE NULLS", use="FILTER (WHERE x IS NOT NULL)")


def read_window(node: exp.Expression, scope: Scope, context: Context) -> Expression:
    """function(…) OVER (…)."""
    inner, ignore_nulls = _normal(node.this), False
    if isinstance(inner, exp.IgnoreNulls):
        inner, ignore_nulls = inner.this, True
    if isinstance(inner, exp.Filter):
        call = _filtered(inner, scope, context, windowed=True)
    elif isinstance(inner, exp.Anonymous):
        call = _call(inner, scope, context, windowed=True)
    else:
        raise Refusal("sql.not_supported", *place(node), form="OVER", use="sum(x) OVER (…)")
    if call.distinct and call.order:
        raise Refusal("sql.not_supported", *place(node), form="ORDER BY", use="sum(x) OVER (ORDER BY …)")
    with scope.clause(aggregates=scope.aggregates_allowed, windows=False):
        window = _window(node, scope, context)
    return replace(call, window=window, ignore_nulls=call.ignore_nulls or ignore_nulls)


def _window(node: exp.Expression, scope: Scope, context: Context) -> Window:
    base = node.args.get("alias")
    named = Window((), ())
    if isinstance(base, exp.Identifier):
        definition = scope.windows.get(base.name.lower())
        if not isinstance(definition, exp.Window):
            raise Refusal(
                "sql.unknown_column", *place(base), use=nearest(base.name, list(scope.windows)), columns=""
            )
        named = _window(definition, scope, context)
    order = node.args.get("order")
    partition = tuple(_read(n, scope, context) for n in node.args.get("partition_by") or ())
    unit, start, finish = _frame(node.args.get("spec"), scope, context)
    return Window(
        partition or named.partition,
        read_sorts(order.expressions, scope, context) if order is not None else named.order,
        unit or named.unit, start or named.start, finish or named.finish,
    )  # fmt: skip


_Frame = tuple[Literal["", "ROWS", "RANGE", "GROUPS"], Bound | None, Bound | None]


def _frame(spec: exp.Expression | None, scope: Scope, context: Context) -> _Frame:
    if spec is None:
        return "", None, None
    unit = str(spec.args.get("kind") or "").upper()
    if spec.args.get("exclude") or unit not in {"ROWS", "RANGE", "GROUPS"}:
        raise Refusal("sql.not_supported", *place(spec), form="EXCLUDE", use="ROWS BETWEEN … AND …")
    finish = spec.args.get("end")
    return (
        "ROWS" if unit == "ROWS" else "RANGE" if unit == "RANGE" else "GROUPS",
        _bound(spec.args.get("start"), spec.args.get("start_side"), scope, context),
        _bound(finish, spec.args.get("end_side"), scope, context) if finish else Bound("CURRENT ROW"),
    )


def _bound(what: object, side: object, scope: Scope, context: Context) -> Bound:
    words = str(side or "").upper()
    if what == "CURRENT ROW":
        return Bound("CURRENT ROW")
    if words not in {"PRECEDING", "FOLLOWING"}:
        raise Refusal(
            "sql.not_supported", None, None, form="FRAME", use="ROWS BETWEEN 6 PRECEDING AND CURRENT ROW"
        )
    if what == "UNBOUNDED":
        return Bound(f"UNBOUNDED {words}")
    if not isinstance(what, exp.Literal | exp.Interval):
        raise Refusal(
            "sql.not_supported", *place(what), form="FRAME", use="ROWS BETWEEN 6 PRECEDING AND CURRENT ROW"
        )
    return Bound(words, _read(what, scope, context))
