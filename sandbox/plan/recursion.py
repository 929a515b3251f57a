"""WITH RECURSIVE: a query that goes on from its own rows, at most a known number of steps (`limits.STEPS`)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from .context import Context
from .dialect import place
from .errors import Refusal
from .grouping import is_grouped
from .scope import Cte, Scope
from .tree import CteUse, Derived, Join, Query, Recursion, Relation, Select, Tail
from .types import Type, unify
from .walking import relations

_FORM = "WITH RECURSIVE"
_USE = "WITH RECURSIVE q AS (SELECT … UNION ALL SELECT … FROM q WHERE …)"


def is_recursive(cte: exp.Expression) -> bool:
    """Whether the CTE of a WITH RECURSIVE reads itself."""
    name = cte.alias.lower()
    return any(
        table.name.lower() == name and not table.args.get("db") for table in cte.this.find_all(exp.Table)
    ) and not _hidden(cte, name)


def _hidden(cte: exp.Expression, name: str) -> bool:
    """A WITH inside that gives the name to something else."""
    return any(inner.alias.lower() == name for inner in cte.this.find_all(exp.CTE))


def read_recursive(cte: exp.Expression, scope: Scope, context: Context) -> Recursion:
    """Offers the CTE to its own second half, and gives both. Refusal if it is no start, UNION and step."""
    union = cte.this
    if not isinstance(union, exp.Union) or any(union.args.get(word) for word in ("order", "limit", "offset")):
        raise Refusal("sql.not_supported", *place(cte.this), form=_FORM, use=_USE)
    start = context.read_query(union.this, scope, context)
    columns = _renamed(cte, start.columns)
    name = context.relation("q")
    inside = Scope(parent=scope, ctes={cte.alias.lower(): Cte(name, columns, start)})
    step = context.read_query(union.expression, inside, context)
    relation = _checked_step(step, name, union.expression)
    _check_types(columns, step, union.expression)
    return Recursion(name, columns, start, step, relation, keep_all=not union.args.get("distinct"))  # type: ignore[arg-type]


def _renamed(cte: exp.Expression, columns: tuple[tuple[str, Type], ...]) -> tuple[tuple[str, Type], ...]:
    renamed = [column.name for column in cte.args["alias"].args.get("columns") or []]
    if len(renamed) > len(columns):
        raise Refusal("sql.column_count", *place(cte), expected=len(columns), found=len(renamed))
    return tuple((new, t) for new, (_, t) in zip(renamed, columns, strict=False)) + columns[len(renamed) :]


def _check_types(columns: tuple[tuple[str, Type], ...], step: Query, node: exp.Expression) -> None:
    if len(columns) != len(step.columns):
        raise Refusal("sql.column_count", *place(node), expected=len(columns), found=len(step.columns))
    for (_, wanted), (_, given) in zip(columns, step.columns, strict=True):
        # The engine would cast each step to the start's types, and so round without a word.
        if unify(wanted, given) != wanted:
            use = f"CAST(… AS {given.name if wanted.kind == 'NULL' else wanted.name})"
            raise Refusal("sql.type_mismatch", *place(node), left=wanted.name, right=given.name, use=use)


def _checked_step(step: Query, name: str, node: exp.Expression) -> str:
    """The relation by which the step reads the rows before it: once, in FROM, never filled up with NULLs."""
    wrong = Refusal("sql.not_supported", *place(node), form=_FORM, use=_USE)
    if not isinstance(step, Select) or is_grouped(step) or step.tail != Tail():
        raise wrong
    everywhere = [r for r in relations(step) if isinstance(r, CteUse) and r.cte == name]
    directly = [r.relation for r in _kept_rows(step.source) if isinstance(r, CteUse) and r.cte == name]
    if len(everywhere) != 1 or len(directly) != 1:
        raise wrong
    return directly[0]


def _kept_rows(relation: Relation | None) -> Iterator[Relation]:
    """The relations in FROM whose rows are never filled up with NULLs."""
    match relation:
        case Join():
            if relation.kind not in {"RIGHT", "FULL"}:
                yield from _kept_rows(relation.left)
            if relation.kind in {"INNER", "CROSS", "RIGHT"}:
                yield from _kept_rows(relation.right)
        case None | Derived():
            return
        case _:
            yield relation
