"""From our tree to DuckDB's SQL: the only text that reaches the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .functions import FUNCTIONS
from .limits import STEPS
from .plan import Plan
from .tree import (
    Bound,
    Call,
    Cast,
    ColumnRef,
    Constant,
    CteUse,
    Derived,
    Expression,
    Grouping,
    Item,
    Join,
    Operation,
    Query,
    QueryTest,
    Recursion,
    Relation,
    Select,
    SetOperation,
    Sort,
    Source,
    Tail,
    Values,
    Window,
    With,
)

FORMS = {
    **{s: f"({{0}} {s.upper()} {{1}})" for s in (
        "=", "<>", "<", "<=", ">", ">=", "&", "|", "<<", ">>", "+", "-", "*", "/", "//", "%", "**", "||", "like",
        "ilike", "is distinct from", "is not distinct from")},
    "not": "(NOT {0})", "negative": "(-{0})", "is null": "({0} IS NULL)", "is true": "({0} IS TRUE)",
    "is false": "({0} IS FALSE)", "between": "({0} BETWEEN {1} AND {2})",
    "like escape": "({0} LIKE {1} ESCAPE {2})", "ilike escape": "({0} ILIKE {1} ESCAPE {2})",
}  # fmt: skip

TOO_MANY_STEPS = "recursion"
"""What the engine says when a recursion goes on for too long: ours, so that it can be told from other errors."""

# Forms of the grammar; all others are written quoted, since position, left … are forms when they are not.
_WORDS = frozenset({"coalesce", "grouping"})


def quoted(name: str) -> str:
    """An identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A string literal in single quotes; DuckDB knows no other escape inside them."""
    return "'" + value.replace("'", "''") + "'"


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes trees; `sources`: for each table the Parquet files that stand behind it; `filters`: for some tables
    the condition (SQL over their columns) without which none of them is read."""

    sources: Mapping[str, Sequence[str]]
    filters: Mapping[str, str] = field(default_factory=dict)

    def expression(self, node: Expression) -> str:
        match node:
            case ColumnRef():
                return f"{node.relation}.{quoted(node.column)}"
            case Constant():
                return self._constant(node)
            case Operation():
                return self._operation(node)
            case Call():
                return self._call(node)
            case Cast():
                word = "TRY_CAST" if node.forgiving else "CAST"
                return f"{word}({self.expression(node.operand)} AS {node.type.name})"
            case QueryTest():
                return self._query_test(node)

    def _constant(self, node: Constant) -> str:
        if node.type.kind == "VARCHAR":
            return text(node.value)
        return f"({node.value})" if node.value.startswith("-") else node.value

    def _operation(self, node: Operation) -> str:
        parts = [self.expression(e) for e in node.operands]
        match node.symbol:
            case "and" | "or":
                return "(" + f" {node.symbol.upper()} ".join(parts) + ")"
            case "in":
                return f"({parts[0]} IN ({', '.join(parts[1:])}))"
            case "case":
                branches = " ".join(f"WHEN {c} THEN {a}" for c, a in zip(parts[:-1:2], parts[1::2], strict=True))
                return f"CASE {branches} ELSE {parts[-1]} END"
            case "row":
                return f"({', '.join(parts)})"
            case "list":
                return f"[{', '.join(parts)}]"
            case "coalesce":
                return f"coalesce({', '.join(parts)})"
        return FORMS[node.symbol].format(*parts)

    def _query_test(self, node: QueryTest) -> str:
        inner = f"({self.query(node.query)})"
        if node.form == "exists":
            return f"(EXISTS {inner})"
        if node.form == "in" and node.operand is not None:
            return f"({self.expression(node.operand)} IN {inner})"
        return inner

    def _call(self, node: Call) -> str:
        inside = ", ".join(self.expression(a) for a in node.arguments)
        if node.name == "count" and not node.arguments:
            inside = "*"
        if node.distinct:
            inside = f"DISTINCT {inside}"
        if node.order:
            inside += f" ORDER BY {self._sorts(node.order)}"
        if node.ignore_nulls:
            inside += " IGNORE NULLS"
        call = f"{node.name if node.name in _WORDS else quoted(node.name)}({inside})"
        if node.name in FUNCTIONS and FUNCTIONS[node.name].is_cast:
            call = f"CAST({call} AS {node.type.name})"
        if node.where is not None:
            call += f" FILTER (WHERE {self.expression(node.where)})"
        return call if node.window is None else f"{call} OVER ({self._window(node.window)})"

    def _sorts(self, sorts: Sequence[Sort]) -> str:
        return ", ".join(_sorted(self.expression(s.expression), s.descending, s.nulls_first) for s in sorts)

    def _window(self, window: Window) -> str:
        parts = []
        if window.partition:
            parts.append("PARTITION BY " + ", ".join(self.expression(e) for e in window.partition))
        if window.order:
            parts.append("ORDER BY " + self._sorts(window.order))
        if window.unit and window.start and window.finish:
            parts.append(f"{window.unit} BETWEEN {self._bound(window.start)} AND {self._bound(window.finish)}")
        return " ".join(parts)

    def _bound(self, bound: Bound) -> str:
        return bound.words if bound.offset is None else f"{self.expression(bound.offset)} {bound.words}"

    def relation(self, node: Relation) -> str:
        match node:
            case Source():
                files = ", ".join(text(path) for path in self.sources[node.table])
                read = f"read_parquet([{files}])"
                if condition := self.filters.get(node.table):
                    read = f"(SELECT * FROM {read} WHERE {condition})"
                return f"{read} AS {node.relation}"
            case Derived():
                return f"({self.query(node.query)}) AS {node.relation}"
            case CteUse():
                return f"{node.cte} AS {node.relation}"
            case Join():
                joined = f"{self.relation(node.left)} {node.kind} JOIN {self.relation(node.right)}"
                return f"({joined} ON {self.expression(node.on)})" if node.on is not None else f"({joined})"

    def query(self, node: Query, casts: Sequence[tuple[str, str]] | None = None) -> str:
        """`casts`: name and type of each column of the answer, for the outermost query."""
        match node:
            case With():
                ctes = ", ".join(
                    f"{self._head(name, inner)} AS ({self.query(inner)})" for name, inner in node.ctes
                )
                word = "WITH RECURSIVE" if any(isinstance(inner, Recursion) for _, inner in node.ctes) else "WITH"
                return f"{word} {ctes} {self.query(node.query, casts)}"
            case Recursion():
                return self._recursion(node)
            case Values():
                return self._values(node, casts)
            case SetOperation():
                return self._set_operation(node, casts)
            case Select():
                return self._select(node, casts)

    def _values(self, node: Values, casts: Sequence[tuple[str, str]] | None) -> str:
        rows = ", ".join(f"({', '.join(self.expression(value) for value in row)})" for row in node.rows)
        names = ", ".join(f"c{i}" for i in range(len(node.columns)))
        inner = f"SELECT * FROM (VALUES {rows}) AS v({names})"
        return inner if casts is None else self._with_casts(inner, casts)

    def _head(self, name: str, query: Query) -> str:
        if not isinstance(query, Recursion) or query.keep_all:
            return name
        columns = ", ".join(f"c{i}" for i in range(len(query.columns)))
        return f"{name}({columns}, c{len(query.columns)}) USING KEY ({columns})"

    def _recursion(self, node: Recursion) -> str:
        """The last column counts the steps; the engine has no limit of its own."""
        depth = f"c{len(node.columns)}"
        names = [f"c{i}" for i in range(len(node.columns))]
        start = f"SELECT *, 0 AS {depth} FROM ({self.query(node.start)})"
        items = [self._item(i, item, None) for i, item in enumerate(node.step.items)]
        step = self._clauses(node.step, [*items, f"{node.relation}.{depth} + 1 AS {depth}"])
        checked = f"CASE WHEN s.{depth} <= {STEPS} THEN s.{depth} ELSE error({text(TOO_MANY_STEPS)}) END"
        step = f"SELECT {', '.join(f's.{name}' for name in names)}, {checked} FROM ({step}) AS s"
        if node.keep_all:
            return f"{start} UNION ALL {step}"
        same = " AND ".join(f"seen.{name} IS NOT DISTINCT FROM s.{name}" for name in names)
        return f"{start} UNION {step} WHERE NOT EXISTS (SELECT 1 FROM recurring.{node.name} AS seen WHERE {same})"

    def _set_operation(self, node: SetOperation, casts: Sequence[tuple[str, str]] | None) -> str:
        both = node.operator + (" ALL" if node.keep_all else "")
        inner = (
            f"SELECT * FROM ({self._side(node.left, node)}) {both} SELECT * FROM ({self._side(node.right, node)})"
        )
        inner += self._tail(node.tail)
        if casts is None:
            return inner
        return self._with_casts(inner, casts)

    def _with_casts(self, inner: str, casts: Sequence[tuple[str, str]]) -> str:
        columns = ", ".join(f"CAST(c{i} AS {t}) AS {quoted(name)}" for i, (name, t) in enumerate(casts))
        return f"SELECT {columns} FROM ({inner})"

    def _side(self, node: Query, whole: SetOperation) -> str:
        # Both sides get the type that we predict, so that the engine never chooses another.
        casts = [
            f"CAST(c{i} AS {wanted.name}) AS c{i}" if given != wanted else f"c{i}"
            for i, ((_, given), (_, wanted)) in enumerate(zip(node.columns, whole.columns, strict=True))
        ]
        return f"SELECT {', '.join(casts)} FROM ({self.query(node)})"

    def _item(self, index: int, item: Item, casts: Sequence[tuple[str, str]] | None) -> str:
        expression = self.expression(item.expression)
        if casts is None:
            return f"{expression} AS c{index}"
        name, wanted = casts[index]
        return f"CAST({expression} AS {wanted}) AS {quoted(name)}"

    def _select(self, node: Select, casts: Sequence[tuple[str, str]] | None) -> str:
        assert casts is None or len(casts) == len(node.items)  # of another plan they would name the wrong columns
        return self._clauses(node, [self._item(i, item, casts) for i, item in enumerate(node.items)])

    def _clauses(self, node: Select, items: Sequence[str]) -> str:
        parts = [f"SELECT {'DISTINCT ' if node.distinct else ''}{', '.join(items)}"]
        if node.source is not None:
            parts.append("FROM " + self.relation(node.source))
        if node.where is not None:
            parts.append("WHERE " + self.expression(node.where))
        if node.grouping is not None and (node.grouping.keys or node.grouping.sets):
            parts.append("GROUP BY " + self._grouping(node.grouping))
        if node.having is not None:
            parts.append("HAVING " + self.expression(node.having))
        if node.qualify is not None:
            parts.append("QUALIFY " + self.expression(node.qualify))
        return " ".join(parts) + self._tail(node.tail)

    def _grouping(self, grouping: Grouping) -> str:
        # A constant in GROUP BY would be read as a position, so constants are put in parentheses with a cast.
        parts = [self._key(key) for key in grouping.keys]
        for word, sets in grouping.sets:
            inside = ", ".join("(" + ", ".join(self._key(k) for k in one) + ")" for one in sets)
            parts.append(f"{word} ({inside})")
        return ", ".join(parts)

    def _key(self, node: Expression) -> str:
        written = self.expression(node)
        return f"CAST({written} AS {node.type.name})" if isinstance(node, Constant) else written

    def _tail(self, tail: Tail) -> str:
        written = ""
        if tail.order:
            keys = (_sorted(str(e) if isinstance(e, int) else self._key(e), d, n) for e, d, n in tail.order)
            written += " ORDER BY " + ", ".join(keys)
        if tail.limit is not None:
            written += f" LIMIT {tail.limit}"
        if tail.offset is not None:
            written += f" OFFSET {tail.offset}"
        return written


def _sorted(expression: str, descending: bool, nulls_first: bool) -> str:
    return f"{expression} {'DESC' if descending else 'ASC'} NULLS {'FIRST' if nulls_first else 'LAST'}"


def render(plan: Plan, sources: Mapping[str, Sequence[str]], filters: Mapping[str, str] | None = None) -> str:
    """DuckDB SQL of a plan, table t read from the files `sources[t]` where `filters[t]` holds; its answer is
    exactly `plan.output`."""
    return Writer(sources, filters or {}).query(plan.tree, [(column.name, column.type) for column in plan.output])
