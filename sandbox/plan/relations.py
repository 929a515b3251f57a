"""What stands in FROM: tables, CTEs, subqueries and joins."""

from __future__ import annotations

from sqlglot import exp

from sandbox.job import LEVEL

from .arithmetic import alike, compared
from .context import Context
from .dialect import place
from .errors import Refusal
from .expressions import read_condition
from .forms import unsupported
from .limits import JOINS
from .scope import Field, Merged, Offer, Scope, nearest
from .series import SERIES, read_series
from .tree import ColumnRef, CteUse, Derived, Expression, Join, Operation, Query, Relation, Source
from .types import BOOLEAN, DOUBLE, VARCHAR, type_named
from .walking import deep, walk

_KINDS = {"": "INNER", "INNER": "INNER", "LEFT": "LEFT", "RIGHT": "RIGHT", "FULL": "FULL", "CROSS": "CROSS",
          "SEMI": "SEMI", "ANTI": "ANTI"}  # fmt: skip


def read_from(select: exp.Expression, scope: Scope, context: Context) -> Relation | None:
    """The relation that a SELECT reads, offered in `scope`; None if it has no FROM."""
    clause = select.args.get("from_")
    if clause is None:
        return None
    return _with_joins(clause.this, scope, context, select.args.get("joins") or [])


def _with_joins(node: exp.Expression, scope: Scope, context: Context,
                more: list[exp.Expression] | None = None) -> Relation:  # fmt: skip
    """A relation and what is joined to it. A comma binds less than JOIN: what follows it is a group of its own."""
    start = len(scope.offers)
    whole: Relation | None = None
    relation = _relation(node, scope, context)
    for join in [*(node.args.get("joins") or []), *(more or [])]:
        context.joins += 1
        if context.joins > JOINS:
            raise Refusal("sql.too_many_joins", *place(join), limit=JOINS)
        if any(join.args.get(word) for word in ("on", "using", "side", "kind", "method")):
            relation = _join(relation, join, scope, context, start)
            continue
        whole = relation if whole is None else Join("CROSS", whole, relation, None)
        start, relation = len(scope.offers), _with_joins(join.this, scope, context)
    return relation if whole is None else Join("CROSS", whole, relation, None)


def _relation(node: exp.Expression, scope: Scope, context: Context) -> Relation:
    if isinstance(node, exp.Table):
        return _table(node, scope, context)
    if isinstance(node, exp.Subquery):
        inner = node.this
        if isinstance(inner, exp.Table | exp.Subquery) and node.args.get("alias") is None:
            return _with_joins(inner, scope, context)
        return _derived(node, scope, context)
    if isinstance(node, exp.Values):
        return _derived(node, scope, context, node)
    if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
        return _derived(node, scope, context, node.this, beside=scope)
    raise unsupported(node)


def _alias(node: exp.Expression) -> tuple[str, list[str]]:
    alias = node.args.get("alias")
    if alias is None:
        return "", []
    name = alias.name if isinstance(alias, exp.TableAlias) else str(alias)
    return name, [column.name for column in alias.args.get("columns") or []]


def _offer(scope: Scope, alias: str, fields: tuple[Field, ...], renamed: list[str], node: exp.Expression) -> None:
    if renamed:
        if len(renamed) > len(fields):
            raise Refusal("sql.column_count", *place(node), expected=len(fields), found=len(renamed))
        names = renamed + [f.name for f in fields[len(renamed) :]]
        fields = tuple(Field(name, f.expression) for name, f in zip(names, fields, strict=True))
    if alias and scope.offered(alias):
        raise Refusal("sql.duplicate_alias", *place(node), use=f"{alias}_2")
    scope.offers.append(Offer(alias, fields))


def _series(node: exp.Table, scope: Scope, context: Context) -> Relation:
    """range(…), generate_series(…): the one column has the alias's name if there is one."""
    inner, (alias, renamed) = read_series(node.this, context), _alias(node)
    relation = context.relation()
    fields = _fields(relation, inner.columns)
    _offer(scope, alias or node.this.name.lower(), fields, renamed or ([alias] if alias else []), node)
    return Derived(relation, inner)


def _table(node: exp.Table, scope: Scope, context: Context) -> Relation:
    if isinstance(node.this, exp.Anonymous) and node.this.name.lower() in SERIES and not node.args.get("db"):
        return _series(node, scope, context)
    if not isinstance(node.this, exp.Identifier) or node.args.get("db"):
        raise _not_a_table(node, context)
    name, (alias, renamed) = node.name, _alias(node)
    relation = context.relation()
    if cte := scope.cte(name):
        fields = _fields(relation, cte.columns)
        _offer(scope, alias or name, fields, renamed, node)
        return CteUse(relation, cte.name)
    schema = context.tables.get(name.lower())
    if schema is None:
        raise _not_a_table(node, context)
    context.reads.setdefault(schema.name, set())
    fields = tuple(
        Field(c.name, ColumnRef(
            DOUBLE if schema.mode == "aggregate" and c.kind == "measure" else type_named(c.type),
            relation, c.name, schema.name, schema.mode == "aggregate" and c.kind == "measure"))
        for c in schema.columns
    )  # fmt: skip
    if schema.tells_level:
        fields += (Field(LEVEL, ColumnRef(VARCHAR, relation, LEVEL)),)
    _offer(scope, alias or name, fields, renamed, node)
    return Source(relation, schema.name, schema.mode, schema.pairs, *place(node.this))


def _not_a_table(node: exp.Table, context: Context) -> Refusal:
    at, end = place(node.this)
    if isinstance(node.this, exp.Anonymous | exp.Func):
        return Refusal("sql.outside_world", at, end)
    tables = [t.name for t in context.tables.values()]
    use = nearest(node.name, tables) or ("SELECT 1" if node.name.lower() == "dual" else "")
    return Refusal("sql.unknown_table", at, end, use=use, tables=", ".join(tables))


def _fields(relation: str, columns: tuple[tuple[str, object], ...]) -> tuple[Field, ...]:
    return tuple(Field(name, ColumnRef(t, relation, f"c{i}")) for i, (name, t) in enumerate(columns))  # type: ignore[arg-type]


def _derived(node: exp.Expression, scope: Scope, context: Context, query: exp.Expression | None = None, *,
             beside: Scope | None = None) -> Relation:  # fmt: skip
    """`beside`: with LATERAL, the scope whose relations before this one may be named."""
    relation, (alias, renamed) = context.relation(), _alias(node)
    # A subquery in FROM sees the CTEs and the queries around, but not its neighbours.
    around = beside or Scope(parent=scope.parent, ctes=scope.ctes)
    inner: Query = context.read_query(query or node.this, around, context)
    _offer(scope, alias, _fields(relation, inner.columns), renamed, node)
    return Derived(relation, inner)


def _kind(join: exp.Expression) -> str:
    method = str(join.args.get("method") or "").upper()
    if method not in {"", "NATURAL", "ASOF"}:
        raise Refusal("sql.not_supported", *place(join), form=f"{method} JOIN", use="JOIN … ON …")
    kind = _side_and_kind(join)
    if isinstance(join.this, exp.Lateral) and kind not in {"INNER", "CROSS", "LEFT"}:
        raise Refusal("sql.not_supported", *place(join), form=f"{kind} JOIN LATERAL", use="LEFT JOIN LATERAL …")
    if method != "ASOF":
        return kind
    if kind not in {"INNER", "LEFT"} or join.args.get("on") is None:
        raise Refusal("sql.not_supported", *place(join), form="ASOF JOIN", use=_ASOF)
    return "ASOF" if kind == "INNER" else "ASOF LEFT"


_ASOF = "a ASOF LEFT JOIN b ON a.k = b.k AND a.at >= b.at"


def _check_asof(condition: Expression, left: Relation, right: Relation, join: exp.Expression) -> None:
    """Equalities and one inequality, each between the two sides: the engine understands no other."""
    tests = condition.operands if isinstance(condition, Operation) and condition.symbol == "and" else (condition,)
    symbols = [test.symbol if isinstance(test, Operation) else "" for test in tests]
    sides = [_names(left), _names(right)]
    for test in tests:
        read = [{n.relation for n in walk(o) if isinstance(n, ColumnRef)} for o in getattr(test, "operands", ())]
        if len(read) != 2 or not any(read[0] and read[0] <= a and read[1] and read[1] <= b
                                     for a, b in (sides, sides[::-1])):  # fmt: skip
            raise Refusal("sql.not_supported", *place(join), form="ASOF JOIN", use=_ASOF)
    if sum(s in {"<", "<=", ">", ">="} for s in symbols) != 1 or not set(symbols) <= {"=", "<", "<=", ">", ">="}:
        raise Refusal("sql.not_supported", *place(join), form="ASOF JOIN", use=_ASOF)


def _side_and_kind(join: exp.Expression) -> str:
    side, kind = (str(join.args.get(word) or "").upper() for word in ("side", "kind"))
    if side and kind not in {"", "OUTER"}:
        raise Refusal("sql.not_supported", *place(join), form=f"{side} {kind} JOIN", use=f"{kind} JOIN … ON …")
    word = side or kind
    if kind not in {"", "INNER", "OUTER", "CROSS", "SEMI", "ANTI"} or word not in _KINDS:
        raise Refusal("sql.not_supported", *place(join), form=f"{word} JOIN", use="JOIN … ON …")
    return _KINDS[word]


def _join(left: Relation, join: exp.Expression, scope: Scope, context: Context, start: int) -> Relation:
    kind = _kind(join)
    earlier = len(scope.offers)
    right = _with_joins(join.this, scope, context)
    using, on = join.args.get("using") or [], join.args.get("on")
    if str(join.args.get("method") or "").upper() == "NATURAL":
        using = _common(join, scope.offers[start:earlier], scope.offers[earlier:])
    condition: Expression | None = None
    if using:
        condition = _using(using, kind, (start, earlier), scope, context)
    elif on is not None:
        with scope.clause(aggregates=False, windows=False):
            condition = read_condition(on, scope, context)
        _check_reach(condition, left, right, scope)
        if kind.startswith("ASOF"):
            _check_asof(condition, left, right, join)
    elif kind in {"INNER", "CROSS"}:
        kind = "CROSS"
    else:
        raise Refusal("sql.not_supported", *place(join), form=f"{kind} JOIN", use=f"{kind} JOIN … ON …")
    if kind in {"SEMI", "ANTI"}:
        del scope.offers[earlier:]
    return Join(kind, left, right, condition)  # type: ignore[arg-type]


def _common(join: exp.Expression, left: list[Offer], right: list[Offer]) -> list[exp.Expression]:
    """The names that both sides of a NATURAL JOIN have, as USING would name them."""
    theirs = {field.name.lower() for offer in right for field in offer.fields}
    names = dict.fromkeys(f.name for offer in left for f in offer.fields if f.name.lower() in theirs)
    if not names:
        raise Refusal("sql.not_supported", *place(join), form="NATURAL JOIN", use="JOIN … ON …")
    at, end = place(join)
    found = [exp.to_identifier(name, quoted=True) for name in names]
    for one in found:
        one.meta.update(start=at, end=end)
    return list(found)


def _names(relation: Relation) -> set[str]:
    if isinstance(relation, Join):
        return _names(relation.left) | _names(relation.right)
    return {relation.relation}


def _check_reach(condition: Expression, left: Relation, right: Relation, scope: Scope) -> None:
    """ON sees only the two sides of its own join, not what stands before a comma."""
    here = _names(left) | _names(right)
    offered = {r.relation for o in scope.offers for f in o.fields for r in walk(f.expression)
               if isinstance(r, ColumnRef)}  # fmt: skip
    for node in deep(condition):
        if isinstance(node, ColumnRef) and node.relation in offered - here:
            raise Refusal("sql.not_supported", node.at, node.end, form="ON", use="a CROSS JOIN b JOIN c ON …")


def _side(name: str, offers: list[Offer], node: exp.Expression) -> Expression:
    found = [f.expression for o in offers for f in o.fields if f.name.lower() == name.lower()]
    if not found:
        raise Refusal("sql.unknown_column", *place(node), use="", columns="")
    if len(found) > 1:
        raise Refusal("sql.ambiguous_column", *place(node), use="JOIN … ON …")
    return found[0]


def _using(names: list[exp.Expression], kind: str, bounds: tuple[int, int], scope: Scope,
           context: Context) -> Expression:  # fmt: skip
    """`bounds`: where in the offers the left side begins and ends."""
    start, earlier = bounds
    tests = []
    for node in names:
        name, before = node.name.lower(), scope.merged.get(node.name.lower())
        if before is not None and before.start != start:
            raise Refusal("sql.ambiguous_column", *place(node), use="JOIN … ON …")
        left = before.field.expression if before else _side(node.name, scope.offers[start:earlier], node)
        right = _side(node.name, scope.offers[earlier:], node)
        context.note(left)
        context.note(right)
        tests.append(compared("=", left, right, place(node)))
        field = Field(node.name, _merged(kind, left, right, node))
        scope.merged[name] = Merged(field, before.count + 1 if before else 2, start)
    return tests[0] if len(tests) == 1 else Operation(BOOLEAN, "and", tuple(tests))


def _merged(kind: str, left: Expression, right: Expression, node: exp.Expression) -> Expression:
    if kind == "RIGHT":
        return right
    if kind == "FULL":
        operands, found = alike((left, right), place(node))
        return Operation(found, "coalesce", operands)
    return left
