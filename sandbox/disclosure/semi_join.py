"""dp mode: a startup's own table may only say for which values of a declared column a record is taken.

    WHERE column IN (SELECT column_of_own FROM own) AND …

So it is one more filter over a record: it multiplies nobody, and fails for nobody. The own table is first held
against the values that the owner declared, which are few: its size never meets the number of persons, and the
engine keeps none of them to look them up for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.job import TableSchema
from sandbox.plan.errors import Refusal
from sandbox.plan.tree import (
    ColumnRef,
    Constant,
    Derived,
    Expression,
    Item,
    Join,
    Operation,
    QueryTest,
    Select,
    Source,
    Values,
)
from sandbox.plan.types import BOOLEAN, VARCHAR

_DECLARED, _VALUE = "p3", "c0"
"""The relation of a column's declared values; no name of the plan begins so."""


def conjuncts(where: Expression | None) -> tuple[Expression, ...]:
    """The conditions that all have to hold."""
    if where is None:
        return ()
    if isinstance(where, Operation) and where.symbol == "and":
        return tuple(inner for operand in where.operands for inner in conjuncts(operand))
    return (where,)


def semi_join(test: QueryTest, tables: Mapping[str, TableSchema]) -> QueryTest:
    """The same test, over declared values alone. Refusal if it is any other than the form above."""
    column, own = test.operand, test.query
    if not isinstance(column, ColumnRef) or not isinstance(own, Select) or own != _plain(own):
        raise _refused(test, tables)
    declared = _declared(column, tables)
    of_own = own.items[0].expression
    if declared is None or len(own.items) != 1 or not _is_own(of_own, own, tables) or of_own.type != VARCHAR:
        raise _refused(test, tables)
    rows = tuple((Constant(VARCHAR, value),) for value in declared)
    value = ColumnRef(VARCHAR, _DECLARED, _VALUE)
    known = Derived(_DECLARED, Values(rows, ((_VALUE, VARCHAR),)))
    assert isinstance(own.source, Source)
    met = Join("SEMI", known, own.source, Operation(BOOLEAN, "=", (value, of_own)))
    return QueryTest(BOOLEAN, "in", Select((Item(_VALUE, value),), met), column)


def _plain(own: Select) -> Select:
    """What is left of it without anything but its list and its table."""
    return Select(own.items, own.source, distinct=own.distinct)


def _declared(column: ColumnRef, tables: Mapping[str, TableSchema]) -> tuple[str, ...] | None:
    table = tables.get(column.table)
    found = next((c for c in table.columns if c.name == column.column), None) if table else None
    return found.values if found is not None and table is not None and table.mode == "dp" else None


def _is_own(of_own: Expression, own: Select, tables: Mapping[str, TableSchema]) -> bool:
    return (
        isinstance(own.source, Source)
        and tables[own.source.table].mode != "dp"
        and isinstance(of_own, ColumnRef)
        and of_own.relation == own.source.relation
    )


def _refused(test: QueryTest, tables: Mapping[str, TableSchema]) -> Refusal:
    node = test.operand
    at, end = (node.at, node.end) if isinstance(node, ColumnRef) else (None, None)
    return Refusal("sql.private_query", at, end, use=_form(tables))


def _form(tables: Mapping[str, TableSchema]) -> str:
    """How it may be asked with what is there."""
    private = next(table for table in tables.values() if table.mode == "dp")
    declared = next((c.name for c in private.columns if c.values), None)
    own = next((table for table in tables.values() if table.mode != "dp"), None)
    if declared is None or own is None:
        return "WHERE x IN ('a', 'b')"
    return f"WHERE {declared} IN (SELECT {own.columns[0].name} FROM {own.name})"
