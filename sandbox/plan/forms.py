"""The allow-list of sqlglot's node types and of what each may carry. Nothing else passes.

A reader that overlooks an argument of a node (NOT in NOT LIKE, say) would answer another question: so each that is
set must be named here.
"""

from __future__ import annotations

from sqlglot import exp

from .dialect import place
from .errors import Refusal

_BINARY = ("this", "expression")
_TEXT_MATCH = (*_BINARY, "negate")
_SETS = (*_BINARY, "distinct", "with_", "order", "limit", "offset")

_FORMS: dict[type[exp.Expr], tuple[str, ...]] = {
    exp.Select: (
        "expressions", "from_", "joins", "where", "group", "having", "qualify", "order", "limit", "offset",
        "distinct", "with_", "windows",
    ),
    exp.Union: _SETS, exp.Intersect: _SETS, exp.Except: _SETS, exp.With: ("expressions", "recursive"),
    exp.CTE: ("this", "alias"),
    exp.Subquery: ("this", "alias", "joins", "with_", "order", "limit", "offset"), exp.From: ("this",),
    exp.Table: ("this", "alias", "joins"), exp.TableAlias: ("this", "columns"), exp.Where: ("this",),
    exp.Join: ("this", "on", "using", "side", "kind", "method"), exp.Having: ("this",), exp.Qualify: ("this",),
    exp.Group: ("expressions", "all"), exp.Rollup: ("expressions",), exp.Cube: ("expressions",),
    exp.GroupingSets: ("expressions",), exp.Tuple: ("expressions",), exp.Distinct: ("expressions", "on"),
    exp.Order: ("this", "expressions"), exp.Ordered: ("this", "desc", "nulls_first"), exp.Limit: ("expression",),
    exp.Offset: ("expression",), exp.Alias: ("this", "alias"), exp.Star: ("except_", "replace", "rename"),
    exp.Values: ("expressions", "alias"), exp.Lateral: ("this", "alias"),
    exp.Column: ("this", "table"),
    exp.Identifier: ("this", "quoted"), exp.Literal: ("this", "is_string"), exp.Boolean: ("this",), exp.Null: (),
    exp.Var: ("this",), exp.Paren: ("this",), exp.And: _BINARY, exp.Or: _BINARY, exp.Not: ("this",),
    exp.Is: _BINARY,
    exp.EQ: _BINARY, exp.NEQ: _BINARY, exp.LT: _BINARY, exp.LTE: _BINARY, exp.GT: _BINARY, exp.GTE: _BINARY,
    exp.NullSafeEQ: _BINARY, exp.NullSafeNEQ: _BINARY, exp.Add: _BINARY, exp.Sub: _BINARY, exp.Mul: _BINARY,
    exp.Div: _BINARY, exp.IntDiv: _BINARY, exp.Mod: _BINARY, exp.Pow: _BINARY, exp.DPipe: (*_BINARY, "safe"),
    exp.RegexpLike: _BINARY, exp.SimilarTo: _BINARY, exp.JSONExtract: _BINARY, exp.JSONExtractScalar: _BINARY,
    exp.BitwiseAnd: _BINARY, exp.BitwiseOr: _BINARY, exp.BitwiseLeftShift: _BINARY, exp.BitwiseRightShift: _BINARY,
    exp.Bracket: ("this", "expressions"), exp.Slice: _BINARY, exp.Any: ("this",), exp.WithinGroup: _BINARY,
    exp.Neg: ("this",), exp.Between: ("this", "low", "high"), exp.In: ("this", "expressions", "query"),
    exp.Like: _TEXT_MATCH, exp.ILike: _TEXT_MATCH, exp.Escape: _BINARY, exp.Exists: ("this",),
    exp.Case: ("this", "ifs", "default"), exp.If: ("this", "true"), exp.Cast: ("this", "to"),
    exp.TryCast: ("this", "to", "safe"), exp.DataType: ("this", "expressions", "kind"),
    exp.DataTypeParam: ("this",),
    exp.Interval: ("this", "unit"), exp.Array: ("expressions",), exp.Anonymous: ("this", "expressions"),
    exp.Extract: _BINARY, exp.Filter: _BINARY, exp.IgnoreNulls: ("this",),
    exp.Window: ("this", "partition_by", "order", "spec", "alias", "over"),
    exp.WindowSpec: ("kind", "start", "start_side", "end", "end_side"),
}  # fmt: skip
_ALLOWED = {kind: frozenset(arguments) for kind, arguments in _FORMS.items()}

INSTEAD = {
    "Placeholder": "x = 1", "Parameter": "x = 1",
    "Lambda": "list_contains(xs, x)", "All": "x NOT IN (SELECT …), x > (SELECT max(y) …)",
    "Tuple": "a = 1 AND b = 2", "Pivot": "sum(x) FILTER (WHERE …)", "Fetch": "LIMIT 10",
    "Is": "x IS DISTINCT FROM y", "Rollup": "GROUP BY ROLLUP (x)", "Cube": "GROUP BY CUBE (x)",
    "RegexpFullMatch": "regexp_full_match(x, 'a')", "Glob": "x LIKE 'a%'", "Star": "count(*)",
    "RegexpILike": "x ~ '(?i)a'", "National": "'a'", "ByteString": "'a', chr(10)",
    "Struct": "a, b", "AtTimeZone": "x + INTERVAL 7 HOUR",
    "WithinGroup": "quantile_cont(x, 0.5)", "Any": "x IN ('a', 'b'), x IN (SELECT …), x LIKE 'a%' OR x LIKE 'b%'",
    "Concat": "'a' || 'b'",
    "Collate": "strip_accents(x)", "Dot": "f(x), table.column", "PositionalColumn": "column",
    "Map": "CASE …", "Unnest": "list_extract(xs, 1)",
    "Lateral": "LATERAL (SELECT …)", "Bracket": "list_extract(xs, 1)", "Join": "JOIN … ON …", "Union": "UNION ALL",
    "With": "WITH x AS (SELECT …)", "Limit": "LIMIT 10", "Table": "FROM x AS y", "TableSample": "WHERE x % 10 = 0",
    "BitwiseNot": "-1 - x", "Into": "WITH x AS (SELECT …)",
    "CTE": "WITH x AS (SELECT …)", "ArrayOverlaps": "a AND b",
    "Window": "ROWS BETWEEN 6 PRECEDING AND CURRENT ROW", "WindowSpec": "ROWS BETWEEN 6 PRECEDING AND CURRENT ROW",
}  # fmt: skip


_SYSTEM = frozenset({"information_schema", "pg_catalog", "sys", "system"})
"""What other systems tell their tables by: here a dataset's page does."""


def unsupported(node: exp.Expr | None) -> Refusal:
    """The refusal of a form that is not let through, with what to use instead where we know it."""
    name = type(node).__name__
    return Refusal("sql.not_supported", *place(node), form=name.upper(), use=INSTEAD.get(name, ""))


def check_forms(tree: exp.Expr) -> None:
    """Refusal at the first node, or argument of a node, that is not in the list."""
    for node in tree.walk():
        allowed = _ALLOWED.get(type(node))
        if allowed is None:
            raise unsupported(node)
        for argument, value in node.args.items():
            if value and argument not in allowed:
                raise _argument(node, argument, value)


def _argument(node: exp.Expr, name: str, value: object) -> Refusal:
    inner = value[0] if isinstance(value, list) else value
    at, end = place(inner) if isinstance(inner, exp.Expr) else (None, None)
    use = INSTEAD.get(type(inner).__name__) or INSTEAD.get(type(node).__name__, "")
    if name == "db":
        system = str(value).lower() in _SYSTEM
        name, use = "schema", "" if system else f"FROM {node.name}"
    return Refusal("sql.not_supported", *((at, end) if at is not None else place(node)),
                   form=name.strip("_").replace("_", " ").upper(), use=use)  # fmt: skip
