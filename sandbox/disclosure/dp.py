"""dp mode: one SELECT over persons' records becomes exact aggregates for the jail, and a release for the broker.

Whatever leaves is made of the measures (`measures`), to each of which the broker adds noise (`noise`, `release`).
So a SELECT is taken only as: groups and filters by expressions that never fail (`per_record`), and in the select
list group keys and aggregates that are functions of measures. A record falls in one group only, and nothing is
joined (a startup's own table only chooses, `semi_join`), so a person contributes to one number of each measure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sandbox.job import Bounds, OutputColumn, TableSchema
from sandbox.plan.errors import Refusal
from sandbox.plan.tree import (
    Call,
    Cast,
    ColumnRef,
    Constant,
    Derived,
    Expression,
    Grouping,
    Item,
    Operation,
    Query,
    QueryTest,
    Select,
    Source,
)
from sandbox.plan.types import BOOLEAN, DOUBLE, output_type, unify

from . import instead
from .keys import shown
from .measures import Kind, Measure
from .per_record import per_record, place_of, require_few_over_texts
from .semi_join import conjuncts, semi_join
from .terms import all_of

RECORDS, GROUPS = "p1", "p2"
"""The relations of the inner SELECTs; no name of the plan begins so."""
MAX_CELLS = 10_000
"""Groups of declared keys that are all answered; above it keys count as not declared."""
NUMBERS = 200_000
"""That get noise for one query: about 4 s of it."""
TEXTS_BYTES = 32 * 1024 * 1024
"""Of the names of declared groups; above it keys count as not declared, which cuts them."""
_KEYS = {"BOOLEAN", "INTEGER", "BIGINT", "DECIMAL", "VARCHAR", "DATE", "TIMESTAMP"}
_QUANTILES = {"median", "quantile_cont", "quantile_disc", "quantile"}
_SPREADS = {"variance", "var_samp", "var_pop", "stddev", "stddev_samp", "stddev_pop"}

FigureKind = Literal["key", "count", "sum", "avg", "spread", "quantile"]


@dataclass(frozen=True, slots=True)
class Key:
    """A group key. `domain`: every value that it can have, NULL apart; None: nobody declared them."""

    domain: tuple[str | bool, ...] | None

    @property
    def longest(self) -> int:
        """Bytes of the longest text declared."""
        return max((len(value.encode()) for value in self.domain or () if isinstance(value, str)), default=0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of the select list. `sources`: places in the measures that it is made of, or of the key.

    `name`: of a spread, which one. `fraction`: of a quantile."""

    kind: FigureKind
    sources: tuple[int, ...]
    bounds: Bounds | None = None
    name: str = ""
    fraction: float = 0.5


@dataclass(frozen=True, slots=True)
class Release:
    """What the broker makes of the jail's answer: columns k0 …, then m0 …, `measured` with their types.

    `presence`: the measure that counts a group's records, where keys are not declared. `order`: column of the
    answer, descending, nulls first."""

    keys: tuple[Key, ...]
    measures: tuple[Measure, ...]
    figures: tuple[Figure, ...]
    presence: int | None
    measured: tuple[OutputColumn, ...]
    order: tuple[tuple[int, bool, bool], ...]
    limit: int | None
    offset: int | None

    @property
    def width(self) -> int:
        """Numbers a group."""
        return sum(measure.width for measure in self.measures)

    @property
    def cells(self) -> int | None:
        """Groups, those of NULL too; None: nobody declared them."""
        return cells_of(self.keys)


@dataclass(frozen=True, slots=True)
class Private:
    """A query that was taken: the jail's, and what is made of its answer, `output`."""

    tree: Query
    release: Release
    output: tuple[OutputColumn, ...]


def cells_of(keys: tuple[Key, ...]) -> int | None:
    """How many groups keys make; None where one of them was not declared."""
    domains = [key.domain for key in keys if key.domain is not None]
    return math.prod(len(domain) + 1 for domain in domains) if len(domains) == len(keys) else None


def over_persons(query: Query, named: Sequence[OutputColumn], tables: Iterable[TableSchema]) -> Private:
    """A query that reads a dp table. `named`: its columns as the analyst wrote them. Refusal if it cannot be."""
    schemas = {table.name: table for table in tables}
    private = next(table for table in schemas.values() if table.mode == "dp")
    if not isinstance(query, Select) or not isinstance(query.source, Source) or query.source.table != private.name:
        raise _shape(private)
    return _Reader(query, query.source, schemas).read(named)


def _shape(table: TableSchema, node: Expression | None = None, *, chosen: bool = False) -> Refusal:
    at, end = place_of(node) if node is not None else (None, None)
    use = instead.shape(table, node, sorted_too=chosen)
    return Refusal("sql.private_shape", at, end, table=table.name, use=use)


class _Reader:
    """Reads one SELECT that stands directly on a dp table."""

    def __init__(self, select: Select, source: Source, schemas: Mapping[str, TableSchema]) -> None:
        self._select, self._source, self._schemas = select, source, schemas
        self._table = schemas[source.table]
        self._bounds = {c.name: c.bounds for c in self._table.columns if c.bounds is not None}
        self._measures: list[Measure] = []

    def read(self, named: Sequence[OutputColumn]) -> Private:
        select = self._select
        for clause in (select.having, select.qualify):
            if clause is not None:
                raise _shape(self._table, clause, chosen=True)
        if select.distinct or (select.grouping is not None and select.grouping.sets):
            raise _shape(self._table, select.items[0].expression)
        written = select.grouping.keys if select.grouping else ()
        asked = [*written, *(item.expression for item in select.items), *conjuncts(select.where)]
        require_few_over_texts(asked)
        keys = tuple(self._key(node) for node in written)
        figures = tuple(self._figure(item.expression, written) for item in select.items)
        if not self._measures:
            raise _shape(self._table, select.items[0].expression)
        keys, presence = self._presence(keys)
        tree, measured = self._inner(written, keys)
        output, places = _columns(named, figures)
        release = Release(
            keys, tuple(self._measures), figures, presence, measured, self._order(places),
            select.tail.limit, select.tail.offset,
        )  # fmt: skip
        return Private(tree, release, output)

    def _key(self, node: Expression) -> Key:
        kind = node.type.kind
        if kind not in _KEYS or isinstance(node, Constant):
            use = f"CAST(floor({instead.column_in(node)} / 10) AS BIGINT)"
            raise Refusal("sql.private_key", *place_of(node), type=node.type.name, use=use)
        if node.type == BOOLEAN:
            return Key((False, True))
        if isinstance(node, ColumnRef):
            return Key(next((c.values for c in self._table.columns if c.name == node.column), None))
        return Key(None)

    def _presence(self, keys: tuple[Key, ...]) -> tuple[tuple[Key, ...], int | None]:
        """With every key declared all cells are answered; else a group is shown by its noisy count alone."""
        cells = cells_of(keys)
        if cells is not None and cells <= MAX_CELLS and cells * sum(key.longest for key in keys) <= TEXTS_BYTES:
            numbers = cells * sum(measure.width for measure in self._measures)
            if numbers > NUMBERS:
                at, end = place_of(self._select.items[-1].expression)
                raise Refusal("sql.private_size", at, end, numbers=numbers, limit=NUMBERS)
            return keys, None
        return tuple(Key(None) for _ in keys), self._measure(Measure("count", None, None, None, None))

    def _inner(
        self, written: tuple[Expression, ...], declared: tuple[Key, ...]
    ) -> tuple[Select, tuple[OutputColumn, ...]]:
        """First every expression over a record, once; above it the aggregates."""
        records = _Projection(RECORDS)
        columns = (records.column(per_record(node)) for node in written)
        keys = tuple(
            node if key.domain is not None else shown(node) for key, node in zip(declared, columns, strict=True)
        )
        partials = [measure.partial(records.column) for measure in self._measures]
        below = Select(records.items(), self._source, where=self._where())
        bands = tuple(dict.fromkeys(p.band for p in partials if p.band is not None))
        numbers: list[Expression] = [p.aggregate for p in partials]
        if bands:
            # Band by band first: as many filters over every record as there are bands would cost thirty times it.
            groups = _Projection(GROUPS)
            parts = [tuple(groups.column(node) for node in part) for part in (keys, bands, numbers)]
            below = Select(groups.items(), Derived(RECORDS, below), grouping=Grouping((*keys, *bands)))
            keys, of_band = parts[0], dict(zip(bands, parts[1], strict=True))
            numbers = [
                number
                for measure, partial, sum_of in zip(self._measures, partials, parts[2], strict=True)
                for number in measure.whole(sum_of, of_band[partial.band] if partial.band is not None else None)
            ]
        items = [Item(f"k{i}", key) for i, key in enumerate(keys)]
        items += [Item(f"m{i}", number) for i, number in enumerate(numbers)]
        measured = [OutputColumn(name=f"k{i}", type=_returned(key)) for i, key in enumerate(keys)]
        measured += [OutputColumn(name=f"m{i}", type="BIGINT") for i in range(len(numbers))]
        source = Derived(GROUPS if bands else RECORDS, below)
        return Select(tuple(items), source, grouping=Grouping(keys) if keys else None), tuple(measured)

    def _where(self) -> Expression | None:
        parts = conjuncts(self._select.where)
        joins = [semi_join(part, self._schemas) for part in parts if isinstance(part, QueryTest)]
        own = all_of([part for part in parts if not isinstance(part, QueryTest)])
        return all_of([*joins, *([per_record(own)] if own is not None else [])])

    def _figure(self, node: Expression, keys: tuple[Expression, ...]) -> Figure:
        if node in keys:
            return Figure("key", (keys.index(node),))
        if not isinstance(node, Call) or node.kind != "aggregate" or node.window is not None:
            raise _shape(self._table, node)
        if node.distinct or node.order:
            raise Refusal("sql.private_aggregate", node.at, node.end, use=instead.aggregate(node, self._table))
        if (test := _tested(node)) is not None:
            node = replace(node, name="count", arguments=(), where=all_of([*conjuncts(node.where), test]))
        where = per_record(node.where) if node.where is not None else None
        if node.name == "count":
            counted = per_record(node.arguments[0]) if node.arguments else None
            return Figure("count", (self._measure(Measure("count", None, counted, where, None)),))
        if node.name not in {"sum", "avg", "mean", *_SPREADS, *_QUANTILES}:
            raise Refusal("sql.private_aggregate", node.at, node.end, use=instead.aggregate(node, self._table))
        return self._of_column(node, where)

    def _of_column(self, call: Call, where: Expression | None) -> Figure:
        column = call.arguments[0]
        while isinstance(column, Cast) and _keeps_value(column):
            column = column.operand
        bounds = self._bounds.get(column.column) if isinstance(column, ColumnRef) else None
        if not isinstance(column, ColumnRef) or bounds is None:
            known = ", ".join(self._bounds) or "—"
            at, end = place_of(column)
            at, end = (at, end) if at is not None else (call.at, call.end)
            use = f"{call.name}({next(iter(self._bounds), 'x')})"
            raise Refusal("sql.private_bounds", at, end, columns=known, use=use)
        counted = Measure("count", None, column, where, None)

        def of(*kinds: Kind) -> tuple[int, ...]:
            return tuple(
                self._measure(counted if kind == "count" else Measure(kind, column, None, where, bounds))
                for kind in kinds
            )

        if call.name == "sum":
            return Figure("sum", of("sum"), bounds)
        if call.name in {"avg", "mean"}:
            return Figure("avg", of("count", "centred"), bounds)
        if call.name in _SPREADS:
            return Figure("spread", of("count", "centred", "squares"), bounds, call.name)
        return Figure("quantile", of("bands"), bounds, fraction=_fraction(call))

    def _measure(self, measure: Measure) -> int:
        """Its place; the same one asked for twice is measured once, and paid for once."""
        if measure not in self._measures:
            self._measures.append(measure)
        return self._measures.index(measure)

    def _order(self, places: Sequence[int]) -> tuple[tuple[int, bool, bool], ...]:
        found = []
        for by, descending, nulls_first in self._select.tail.order:
            if not isinstance(by, int):
                raise _shape(self._table, by)
            found.append((places[by - 1], descending, nulls_first))
        return tuple(found)


def _tested(call: Call) -> Expression | None:
    """Of what records count_if counts, or a sum of 1 for each: the same question, and it needs no bounds."""
    if call.name in {"count_if", "countif"}:
        return call.arguments[0]
    given = call.arguments[0] if call.name == "sum" else None
    match given:
        case Operation(symbol="case", operands=(test, one, rest)):
            pass
        case Call(name="if", arguments=(test, one, rest)):
            pass
        case _:
            return None
    whole = isinstance(one, Constant) and one.type.is_integer and one.value == "1"
    return test if whole and isinstance(rest, Constant) and rest.value in {"0", "null"} else None


class _Projection:
    """The columns of an inner SELECT, as they are asked for."""

    def __init__(self, relation: str) -> None:
        self._relation = relation
        self._expressions: list[Expression] = []

    def column(self, node: Expression) -> ColumnRef:
        if node not in self._expressions:
            self._expressions.append(node)
        return ColumnRef(node.type, self._relation, f"c{self._expressions.index(node)}")

    def items(self) -> tuple[Item, ...]:
        """At least one: a SELECT of nothing is none."""
        found = tuple(Item("", node) for node in self._expressions)
        return found or (Item("", Cast(BOOLEAN, Constant(BOOLEAN, "true"))),)


def _keeps_value(cast: Cast) -> bool:
    """Whether it only widens: bounds are of the column, and a cast that rounds or may fail is another figure."""
    given, wanted = cast.operand.type, cast.type
    if wanted == DOUBLE:
        return given.is_number
    return given.is_integer and wanted.is_integer and unify(given, wanted) == wanted


def _returned(node: Expression) -> str:
    found = output_type(node.type)
    assert found is not None  # lists and intervals are no keys
    return found.name


def _fraction(call: Call) -> float:
    said = [n for n in call.arguments[1:] if isinstance(n, Constant)]
    return float(said[0].value) if said else 0.5


def _columns(
    named: Sequence[OutputColumn], figures: Sequence[Figure]
) -> tuple[tuple[OutputColumn, ...], list[int]]:
    """The answer's columns, each number followed by its 95% interval, and the place of each item among them."""
    taken = {column.name.lower() for column in named}
    output: list[OutputColumn] = []
    places: list[int] = []
    for column, figure in zip(named, figures, strict=True):
        places.append(len(output))
        if figure.kind == "key":
            output.append(column)
            continue
        kind = "BIGINT" if figure.kind == "count" else "DOUBLE"
        output.append(OutputColumn(name=column.name, type=kind))
        for edge in ("low", "high"):
            name = f"{column.name}__{edge}"
            while name.lower() in taken:
                name += "_"
            taken.add(name.lower())
            output.append(OutputColumn(name=name, type=kind))
    return tuple(output), places
