"""The face of the plan: from SQL text and tables to a typed plan. Nothing runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sandbox.disclosure.aggregate import check_no_measure, over_cohorts
from sandbox.disclosure.dp import Release, over_persons
from sandbox.job import OutputColumn, TableSchema

from .context import Context
from .dialect import parse
from .errors import Refusal, SqlRefused
from .forms import check_forms
from .limits import DEPTH, KEPT_CHARACTERS, NAME_CHARACTERS, PLANS_KEPT
from .queries import read_query
from .tree import Call, ColumnRef, Query, Recursion, SetOperation, Values, With
from .types import output_type
from .walking import walk


@dataclass(frozen=True, slots=True)
class Plan:
    """A query that was understood. `reads`: table → columns read, filters included (count(*) alone reads none).

    `release`: in dp mode what the broker makes of the jail's answer; only that is `output`.
    """

    reads: Mapping[str, tuple[str, ...]]
    output: tuple[OutputColumn, ...]
    tree: Query
    release: Release | None = None


def plan_query(sql: str, tables: Sequence[TableSchema]) -> Plan:
    """Reads one SELECT over `tables`; SqlRefused if it is anything else. Short questions are kept."""
    key = tuple(tables)
    return _kept(sql, key) if len(sql) <= KEPT_CHARACTERS else _plan(sql, key)


def forget() -> None:
    """Drops the plans that were kept (for measuring)."""
    _kept.cache_clear()


@lru_cache(maxsize=PLANS_KEPT)
def _kept(sql: str, tables: tuple[TableSchema, ...]) -> Plan:
    return _plan(sql, tables)


def _plan(sql: str, tables: tuple[TableSchema, ...]) -> Plan:
    try:
        context = Context({table.name.lower(): table for table in tables}, read_query)
        parsed = parse(sql)
        check_forms(parsed)
        tree = read_query(parsed, None, context)
        output = _output(tree)
        reads = {table: _in_order(columns, table, tables) for table, columns in context.reads.items()}
        if any(table.mode == "dp" for table in tables):
            private = over_persons(tree, output, tables)
            return Plan(reads, private.output, private.tree, private.release)
        rewritten = over_cohorts(tree)
        check_no_measure(rewritten)
        return Plan(reads, output, rewritten)
    except Refusal as refusal:
        raise refusal.placed(sql) from refusal
    except RecursionError as error:
        raise SqlRefused("sql.too_deep", params={"limit": DEPTH}) from error


def _in_order(columns: set[str], name: str, tables: tuple[TableSchema, ...]) -> tuple[str, ...]:
    schema = next(table for table in tables if table.name == name)
    return tuple(column.name for column in schema.columns if column.name in columns)


def _output(tree: Query) -> tuple[OutputColumn, ...]:
    found: list[OutputColumn] = []
    taken = {name.lower() for name, _ in tree.columns}
    seen: set[str] = set()
    for name, given in tree.columns:
        if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
            # Columns that t(…) renames; the engine would refuse some of them, and that costs the quote.
            raise Refusal("sql.name_not_usable", *_first_place(tree, len(found)), limit=NAME_CHARACTERS)
        returned = output_type(given)
        if returned is None:
            at, end = _first_place(tree, len(found))
            raise Refusal(
                "sql.not_returnable", at, end, column_name=name, type=given.name, use="date_diff('day', a, b)"
            )
        found.append(OutputColumn(name=_unique(name, seen, taken), type=returned.name))
    return tuple(found)


def _first_place(tree: Query, index: int) -> tuple[int | None, int | None]:
    """Where the words of a column of the answer begin, as far as the tree knows."""
    if isinstance(tree, With):
        return _first_place(tree.query, index)
    if isinstance(tree, SetOperation | Recursion):
        return _first_place(tree.left if isinstance(tree, SetOperation) else tree.start, index)
    first = tree.rows[0][index] if isinstance(tree, Values) else tree.items[index].expression
    placed = (n for n in walk(first) if isinstance(n, ColumnRef | Call) and n.at is not None)
    return next(((n.at, n.end) for n in placed), (None, None))


def _unique(name: str, seen: set[str], taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate.lower() in seen or (candidate != name and candidate.lower() in taken):
        candidate, number = f"{name}_{number}", number + 1
    seen.add(candidate.lower())
    return candidate
