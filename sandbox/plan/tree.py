"""Our own typed tree of a query. What is not in it cannot be rendered, and so cannot reach the engine.

Relations and their columns carry names that we give (`r1`, `c0`): of the user's own words only string literals and
the names of the answer's columns are rendered.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from sandbox.job import Mode

from .types import Type


@dataclass(frozen=True, slots=True)
class Constant:
    """A constant: `value` is a number as written, a string's content, or true/false/null."""

    type: Type
    value: str


@dataclass(frozen=True, slots=True)
class ColumnRef:
    """A column of a relation. `table`: the name of the table it comes from directly, else empty."""

    type: Type
    relation: str
    column: str
    table: str = ""
    is_measure: bool = False
    at: int | None = field(default=None, compare=False)
    end: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Operation:
    """An operator or special form, by its symbol in `render.FORMS`."""

    type: Type
    symbol: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Cast:
    type: Type
    operand: Expression
    forgiving: bool = False


@dataclass(frozen=True, slots=True)
class Sort:
    expression: Expression
    descending: bool
    nulls_first: bool


@dataclass(frozen=True, slots=True)
class Bound:
    """A frame's end: `words` with the offset left out, e.g. "PRECEDING" with 3, or "CURRENT ROW"."""

    words: str
    offset: Expression | None = None


@dataclass(frozen=True, slots=True)
class Window:
    partition: tuple[Expression, ...]
    order: tuple[Sort, ...]
    unit: str = ""
    start: Bound | None = None
    finish: Bound | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the table. `kind` is the function's; an aggregate with `window` is a window function."""

    type: Type
    name: str
    kind: Literal["scalar", "aggregate", "window"]
    arguments: tuple[Expression, ...]
    distinct: bool = False
    order: tuple[Sort, ...] = ()
    where: Expression | None = None
    window: Window | None = None
    ignore_nulls: bool = False
    at: int | None = field(default=None, compare=False)
    end: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class QueryTest:
    """EXISTS (query), operand IN (query), or a query as a single value."""

    type: Type
    form: Literal["exists", "in", "value"]
    query: Query
    operand: Expression | None = None


Expression = Constant | ColumnRef | Operation | Cast | Call | QueryTest


@dataclass(frozen=True, slots=True)
class Item:
    """One column of a SELECT: `name` as the analyst sees it."""

    name: str
    expression: Expression


@dataclass(frozen=True, slots=True)
class Source:
    """A table of the schema."""

    relation: str
    table: str
    mode: Mode
    pairs: tuple[tuple[str, str], ...] = ()
    """Measures whose cross-products the files hold."""
    at: int | None = field(default=None, compare=False)
    end: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Derived:
    relation: str
    query: Query


@dataclass(frozen=True, slots=True)
class CteUse:
    relation: str
    cte: str


@dataclass(frozen=True, slots=True)
class Join:
    kind: Literal["INNER", "LEFT", "RIGHT", "FULL", "CROSS", "SEMI", "ANTI", "ASOF", "ASOF LEFT"]
    left: Relation
    right: Relation
    on: Expression | None


Relation = Source | Derived | CteUse | Join


@dataclass(frozen=True, slots=True)
class Grouping:
    """GROUP BY: `keys` are the plain keys; each of `sets` a ROLLUP, CUBE or GROUPING SETS over tuples of keys."""

    keys: tuple[Expression, ...]
    sets: tuple[tuple[Literal["ROLLUP", "CUBE", "GROUPING SETS"], tuple[tuple[Expression, ...], ...]], ...] = ()

    def all_keys(self) -> tuple[Expression, ...]:
        """Every expression that is a key in some set."""
        return self.keys + tuple(key for _, sets in self.sets for one in sets for key in one)


@dataclass(frozen=True, slots=True)
class Tail:
    """ORDER BY, LIMIT and OFFSET. An int in `order` is a position in the select list, from 1."""

    order: tuple[tuple[int | Expression, bool, bool], ...] = ()
    limit: int | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Select:
    items: tuple[Item, ...]
    source: Relation | None
    distinct: bool = False
    where: Expression | None = None
    grouping: Grouping | None = None
    having: Expression | None = None
    qualify: Expression | None = None
    tail: Tail = Tail()

    @property
    def columns(self) -> tuple[tuple[str, Type], ...]:
        return tuple((item.name, item.expression.type) for item in self.items)


@dataclass(frozen=True, slots=True)
class SetOperation:
    operator: Literal["UNION", "INTERSECT", "EXCEPT"]
    keep_all: bool
    left: Query
    right: Query
    columns: tuple[tuple[str, Type], ...]
    tail: Tail = Tail()


@dataclass(frozen=True, slots=True)
class With:
    """CTEs by the names we gave, then the query that uses them."""

    ctes: tuple[tuple[str, Query], ...]
    query: Query

    @property
    def columns(self) -> tuple[tuple[str, Type], ...]:
        return self.query.columns


@dataclass(frozen=True, slots=True)
class Recursion:
    """A CTE that reads itself: `start`, then `step` again and again over the rows before it.

    `name` is the CTE's own, `relation` that of the rows before in the step. With `keep_all` it is UNION ALL, else
    only rows that were never seen go on.
    """

    name: str
    columns: tuple[tuple[str, Type], ...]
    start: Query
    step: Select
    relation: str
    keep_all: bool


@dataclass(frozen=True, slots=True)
class Values:
    """Rows of constants: each as many values as there are columns."""

    rows: tuple[tuple[Expression, ...], ...]
    columns: tuple[tuple[str, Type], ...]


Query = Select | SetOperation | With | Recursion | Values
