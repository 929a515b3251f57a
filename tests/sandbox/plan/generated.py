"""Generates whole questions with types in mind: joins, groups, windows, sets, CTEs, recursion, functions.

`Questions(dice).question()` is SQL text. Everything in it has one answer: a window and a LIMIT stand on an order
without ties, and numbers stay far from the edges, so that no addition depends on which row came first.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Literal

from sandbox.plan.functions import FUNCTIONS, Function
from tests.sandbox.plan.examples import EXAMPLES

Kind = Literal["whole", "number", "text", "date", "moment", "flag"]
KINDS: tuple[Kind, ...] = ("whole", "number", "text", "date", "moment", "flag")
Columns = list[tuple[str, Kind]]
PEOPLE: Columns = [
    ("age", "whole"), ("sex", "text"), ("hours", "whole"), ("pay", "number"), ("born", "date"), ("seen", "moment"),
    ("ok", "flag"), ("cost", "number"), ("note", "text"),
]  # fmt: skip
SHOPS: Columns = [("sex", "text"), ("rank", "whole")]
CONSTANTS: dict[Kind, list[str]] = {
    "whole": ["0", "1", "7", "-3", "40"], "number": ["0.5", "1.25", "1e1", "-2.5"],
    "text": ["'Male'", "'n1'", "''", "'é'"], "date": ["DATE '2020-06-01'", "DATE '2021-02-28'"],
    "moment": ["TIMESTAMP '2020-01-05 10:30:00'", "TIMESTAMP '2020-02-01'"], "flag": ["TRUE", "FALSE"],
}  # fmt: skip
CASTS = {"whole": "BIGINT", "number": "DOUBLE", "text": "VARCHAR", "date": "DATE", "moment": "TIMESTAMP",
         "flag": "BOOLEAN"}  # fmt: skip
_ANSWERS: dict[str, Kind] = {"BIGINT": "whole", "INTEGER": "whole", "DOUBLE": "number", "VARCHAR": "text",
                             "DATE": "date", "TIMESTAMP": "moment", "BOOLEAN": "flag"}  # fmt: skip
_ARGUMENTS: dict[str, Kind] = {"NUMBER": "number", "DOUBLE": "number", "VARCHAR": "text", "TEMPORAL": "moment",
                               "MOMENT": "date", "TIMESTAMP": "moment", "DATE": "date", "BOOLEAN": "flag",
                               "ORDERED": "number", "CONTINUOUS": "number", "ANY": "whole",
                               "PLAIN": "text"}  # fmt: skip
_WORDS = {"PART": ["'month'", "'day'", "'hour'"], "FRACTION": ["0.5", "0.25"], "TEXT": ["', '"], "PLACE": ["0"],
          "PERIOD": ["INTERVAL 7 DAY"], "OPTIONS": ["'g'"], "DIGITS": ["1", "0"], "WHOLE": ["1", "2", "3"],
          "INTEGER": ["1", "2"], "PATH": ["'$[0]'"]}  # fmt: skip
# Over values that are not made for them these overflow, or take a pattern that is none.
_WILD = ("regexp", "json", "string_split_regex", "str_split_regex", "factorial", "gamma", "exp", "sinh", "cosh",
         "pow", "power", "lgamma", "product", "nextafter", "chr", "epoch_us", "hamming", "mismatches", "jaccard",
         "strptime", "try_strptime", "make_timestamp", "make_date", "kurtosis", "skewness", "entropy",
         "format_bytes", "to_json", "position", "grouping")  # fmt: skip


def _of(kind: str, answer: Kind) -> list[Function]:
    return [
        f
        for f in FUNCTIONS.values()
        if f.kind == kind
        and _ANSWERS.get(f.answer) == answer
        and f.determinism == "always"
        and not f.name.startswith(_WILD)
        and all(word.rstrip("?*") in _ARGUMENTS | _WORDS for word in f.arguments)
    ]


SCALARS = {kind: _of("scalar", kind) for kind in KINDS}
AGGREGATES = {kind: _of("aggregate", kind) for kind in KINDS}
WINDOWS = ("row_number()", "rank()", "dense_rank()", "lag({0})", "lead({0}, 2)", "first_value({0})",
           "nth_value({0}, 2)", "count({0})", "min({0})", "ntile(3)", "cume_dist()")  # fmt: skip


@dataclass
class Questions:
    """Writes questions as `dice` falls. `made`: how many names were given, so that each is new."""

    dice: random.Random
    made: int = field(default=0)

    def name(self, letter: str) -> str:
        self.made += 1
        return f"{letter}{self.made}"

    def often(self, share: float) -> bool:
        return self.dice.random() < share

    # expressions

    def expression(self, kind: Kind, columns: Columns, depth: int) -> str:
        """Something of that kind that reads these columns."""
        named = [name for name, given in columns if given == kind]
        if depth == 0 or self.often(0.25):
            return self.dice.choice(named) if named and self.often(0.85) else self.dice.choice(CONSTANTS[kind])
        way = self.dice.randrange(5)
        if way == 0:
            return self._case(kind, columns, depth - 1)
        if way == 1:
            inner = [self.expression(kind, columns, depth - 1) for _ in range(2)]
            return f"{self.dice.choice(['coalesce', 'nullif', 'ifnull'])}({inner[0]}, {inner[1]})"
        if way == 2 and (found := self._operator(kind, columns, depth - 1)):
            return found
        if SCALARS[kind]:
            return self._call(self.dice.choice(SCALARS[kind]), columns, depth - 1)
        return self._case(kind, columns, depth - 1)

    def _case(self, kind: Kind, columns: Columns, depth: int) -> str:
        when, then, other = self.condition(columns, depth), *(self.expression(kind, columns, depth) for _ in "ab")
        return f"CASE WHEN {when} THEN {then} ELSE {other} END"

    def _operator(self, kind: Kind, columns: Columns, depth: int) -> str:
        a, b = self.expression(kind, columns, depth), self.expression(kind, columns, depth)
        match kind:
            case "whole":
                return f"(({a}) % 97 {self.dice.choice(['+', '-', '*', '&', '|'])} ({b}) % 89)"
            case "number":
                return f"({a} {self.dice.choice(['+', '-'])} {b})"
            case "text":
                return f"({a} || {b})"
            case "date":
                return f"({a} {self.dice.choice(['+', '-'])} {self.dice.randrange(60)})"
            case "moment":
                return f"({a} + INTERVAL {self.dice.randrange(50)} {self.dice.choice(['DAY', 'HOUR', 'MONTH'])})"
        return self.condition(columns, depth)

    def _call(self, function: Function, columns: Columns, depth: int) -> str:
        given = []
        for word in function.arguments:
            if word[-1] in "?*" and self.often(0.6):
                break
            plain = word.rstrip("?*")
            if plain in _WORDS:
                given.append(self.dice.choice(_WORDS[plain]))
            else:
                given.append(self.expression(_ARGUMENTS[plain], columns, depth))
        return f"{function.name}({', '.join(given)})"

    def condition(self, columns: Columns, depth: int) -> str:
        """True, false or NULL."""
        kind = self.dice.choice(KINDS[:5])
        a, b, c = (self.expression(kind, columns, max(depth - 1, 0)) for _ in range(3))
        simple = self.dice.choice([
            f"{a} {self.dice.choice(['=', '<>', '<', '>=', 'IS DISTINCT FROM'])} {b}", f"{a} BETWEEN {b} AND {c}",
            f"{a} IN ({b}, {c})", f"{a} IS NOT NULL", f"({a}, {b}) IN (({b}, {c}), ({a}, {c}))",
        ])  # fmt: skip
        if depth and self.often(0.4):
            other = self.condition(columns, depth - 1)
            return self.dice.choice([f"({simple} AND {other})", f"({simple} OR {other})", f"NOT ({other})"])
        return simple

    def aggregate(self, kind: Kind, columns: Columns) -> str:
        """An aggregate of that kind."""
        if kind in {"date", "moment", "text"} or not AGGREGATES[kind] or self.often(0.2):
            call = f"{self.dice.choice(['min', 'max'])}({self.expression(kind, columns, 1)})"
        else:
            call = self._call(self.dice.choice(AGGREGATES[kind]), columns, 1)
        return f"{call} FILTER (WHERE {self.condition(columns, 1)})" if self.often(0.25) else call

    # queries

    def source(self, depth: int, ctes: dict[str, Columns]) -> tuple[str, Columns, str]:
        """FROM, the columns it offers (with their alias), and one of them that has no ties (or nothing)."""
        alias = self.name("t")
        way = self.dice.randrange(8)
        if ctes and way < 3:
            cte = self.dice.choice(sorted(ctes))
            return f"{cte} AS {alias}", self._under(alias, ctes[cte]), ""
        if depth and way == 3:
            inner, columns = self.select(depth - 1, ctes)
            return f"({inner}) AS {alias}", self._under(alias, columns), ""
        if way == 4:
            rows = ", ".join(
                f"({i}, {self.dice.choice(CONSTANTS['text'])})" for i in range(self.dice.randrange(1, 6))
            )
            return (
                f"(VALUES {rows}) AS {alias}(v, w)",
                [(f"{alias}.v", "whole"), (f"{alias}.w", "text")],
                f"{alias}.v",
            )
        if way == 5:
            return f"shops AS {alias}", self._under(alias, SHOPS), ""
        return f"people AS {alias}", self._under(alias, PEOPLE), f"{alias}.seen"

    @staticmethod
    def _under(alias: str, columns: Columns) -> Columns:
        return [(f"{alias}.{name}", kind) for name, kind in columns]

    def joined(self, depth: int, ctes: dict[str, Columns]) -> tuple[str, Columns, str]:
        """A FROM with up to two joins."""
        text, columns, unique = self.source(depth, ctes)
        for _ in range(self.dice.choice([0, 0, 1, 1, 2])):
            right, theirs, _ = self.source(0, ctes)
            kind = self.dice.choice(
                ["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", "CROSS JOIN"]
            )
            shared = [(a, b) for a, k in columns for b, j in theirs if k == j]
            if kind == "CROSS JOIN" or not shared:
                text = f"{text} CROSS JOIN (SELECT count(*) FROM {right})"
            else:
                a, b = self.dice.choice(shared)
                also = f" AND {self.condition(columns + theirs, 0)}" if self.often(0.3) else ""
                text = f"{text} {kind} {right} ON {a} = {b}{also if kind in {'JOIN', 'LEFT JOIN'} else ''}"
                columns = columns if kind in {"SEMI JOIN", "ANTI JOIN"} else [*columns, *theirs]
            unique = ""
        if self.often(0.15):
            alias = self.name("l")
            test = self.condition([*columns, ("s.rank", "whole")], 1)
            inner = f"SELECT count(*) AS n, max(s.rank) AS r FROM shops s WHERE {test}"
            text = f"{text}, LATERAL ({inner}) AS {alias}"
            columns = [*columns, (f"{alias}.n", "whole"), (f"{alias}.r", "whole")]
        return text, columns, unique

    def where(self, columns: Columns, ctes: dict[str, Columns]) -> str:
        if self.often(0.4):
            return ""
        way = self.dice.randrange(4)
        if way == 0:
            least = self.dice.randrange(4)
            inner = f"SELECT s.sex FROM shops s WHERE s.rank > {least}"
            return f" WHERE {self.expression('text', columns, 1)} IN ({inner})"
        if way == 1:
            inner = self.condition([*columns, ("s.rank", "whole"), ("s.sex", "text")], 1)
            return f" WHERE {self.dice.choice(['', 'NOT '])}EXISTS (SELECT 1 FROM shops s WHERE {inner})"
        if way == 2:
            inner = f"SELECT {self.dice.choice(['min', 'avg'])}(hours) FROM people"
            return f" WHERE {self.expression('whole', columns, 1)} > ({inner})"
        return f" WHERE {self.condition(columns, 2)}"

    def select(self, depth: int, ctes: dict[str, Columns]) -> tuple[str, Columns]:
        """A SELECT and its columns."""
        source, columns, unique = self.joined(depth, ctes)
        where = self.where(columns, ctes)
        way = self.dice.randrange(4)
        if way == 0:
            return self._grouped(source, columns, where)
        if way == 1 and unique:
            return self._windowed(source, columns, where, unique)
        kinds = [self.dice.choice(KINDS) for _ in range(self.dice.randrange(1, 4))]
        items = [(self.name("c"), kind) for kind in kinds]
        chosen = ", ".join(f"{self.expression(kind, columns, 2)} AS {name}" for name, kind in items)
        sql = f"SELECT {self.dice.choice(['', 'DISTINCT '])}{chosen} FROM {source}{where}"
        if self.often(0.2):
            sql += f" ORDER BY ALL LIMIT {self.dice.randrange(1, 30)}"
        return sql, items

    def _grouped(self, source: str, columns: Columns, where: str) -> tuple[str, Columns]:
        keys = [(self.name("k"), self.dice.choice(KINDS)) for _ in range(self.dice.randrange(1, 3))]
        written = [self.expression(kind, columns, 1) for _, kind in keys]
        values: Columns = [(self.name("v"), self.dice.choice(KINDS[:5])) for _ in range(self.dice.randrange(1, 3))]
        items = [f"{text} AS {name}" for text, (name, _) in zip(written, keys, strict=True)]
        items += [f"{self.aggregate(kind, columns)} AS {name}" for name, kind in values]
        aliases = ", ".join(name for name, _ in keys)
        form = self.dice.choice(["{}", "{}", "ROLLUP ({})", "CUBE ({})", "GROUPING SETS (({}), ())", "ALL"])
        having = (
            f" HAVING {self.aggregate('whole', columns)} > {self.dice.randrange(3)}" if self.often(0.3) else ""
        )
        return (
            f"SELECT {', '.join(items)} FROM {source}{where} GROUP BY {form.format(aliases)}{having}",
            keys + values,
        )

    def _windowed(self, source: str, columns: Columns, where: str, unique: str) -> tuple[str, Columns]:
        kind = self.dice.choice(KINDS[:5])
        call = self.dice.choice(WINDOWS).format(self.expression(kind, columns, 1))
        answer: Kind = kind if call.startswith(("lag", "lead", "first", "nth", "min")) else "whole"
        answer = "number" if call.startswith("cume") else answer
        frame = ""
        if call.startswith(("count", "min", "first")):
            frame = self.dice.choice(["", " ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING", " GROUPS 1 PRECEDING"])
        part = f"PARTITION BY {self.expression(self.dice.choice(KINDS), columns, 1)} " if self.often(0.6) else ""
        name = self.name("w")
        order = f"{part}ORDER BY {unique}{self.dice.choice(['', ' DESC'])}{frame}"
        sql = f"SELECT {unique} AS u, {call} OVER ({order}) AS {name} FROM {source}{where}"
        if self.often(0.3):
            last = self.dice.randrange(2, 90)
            sql += f" QUALIFY {name} IS NOT NULL AND row_number() OVER (ORDER BY {unique}) < {last}"
        return sql, [("u", "moment" if unique.endswith("seen") else "whole"), (name, answer)]

    def sets(self, depth: int, ctes: dict[str, Columns]) -> tuple[str, Columns]:
        """Two SELECTs put together, their columns cast alike."""
        sides = [self.select(depth, ctes) for _ in "ab"]
        width = min(len(columns) for _, columns in sides)
        kinds = [kind for _, kind in sides[0][1]][:width]
        names: Columns = [(self.name("s"), kind) for kind in kinds]
        written = []
        for sql, columns in sides:
            items = [
                f"{name} AS {new}"
                if given == kind
                else f"TRY_CAST(CAST({name} AS VARCHAR) AS {CASTS[kind]}) AS {new}"
                for (name, given), (new, kind) in zip(columns, names, strict=False)
            ]
            written.append(f"SELECT {', '.join(items)} FROM ({sql})")
        word = self.dice.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL", "INTERSECT ALL"])
        return f"{written[0]} {word} {written[1]}", names

    def recursive(self) -> tuple[str, str, Columns]:
        """Name, text and columns of a CTE that reads itself and ends."""
        name, last, factor = self.name("r"), self.dice.randrange(1, 40), self.dice.choice([1, 2, 3])
        union = self.dice.choice(["UNION ALL", "UNION"])
        step = self.dice.choice([
            f"SELECT n + {factor}, w || 'x' FROM {name} WHERE n < {last}",
            f"SELECT r.n + 1, s.sex FROM {name} r JOIN shops s ON s.rank = r.n % 3 + 1 WHERE r.n < {last % 9}",
            f"SELECT DISTINCT (n * {factor} + 1) % 23, w FROM {name} WHERE n < {last}" if union == "UNION" else
            f"SELECT n + 1, left(w, 3) FROM {name} WHERE n < {last} AND w IS NOT NULL",
        ])  # fmt: skip
        start = self.dice.choice(
            ["SELECT 1, 'a'", "VALUES (0, 'b'), (2, NULL)", "SELECT CAST(rank AS INTEGER), sex FROM shops"]
        )
        return name, f"{name}(n, w) AS ({start} {union} {step})", [("n", "whole"), ("w", "text")]

    def question(self) -> str:
        """A whole question, or a call of the table's examples among other things."""
        if self.often(0.25):
            return self._example()
        ctes: dict[str, Columns] = {}
        written, recursive = [], False
        for _ in range(self.dice.choice([0, 0, 1, 2])):
            if self.often(0.4):
                name, text, columns = self.recursive()
                recursive = True
            else:
                name = self.name("q")
                inner, columns = self.select(1, ctes)
                text = f"{name} AS ({inner})"
            ctes[name] = columns
            written.append(text)
        sql, _ = self.sets(0, ctes) if self.often(0.2) else self.select(2, ctes)
        return (f"WITH {'RECURSIVE ' if recursive else ''}{', '.join(written)} " if written else "") + sql

    def _example(self) -> str:
        name = self.dice.choice(sorted(EXAMPLES))
        function, call = FUNCTIONS[name], self.dice.choice(EXAMPLES[name])
        value = f"CAST({call} AS VARCHAR)" if function.answer == "INTERVAL" else call
        where = f" WHERE {self.condition(PEOPLE, 2)}"
        if function.kind == "window":
            part = self.expression("text", PEOPLE, 1)
            return f"SELECT seen, {call} OVER (PARTITION BY {part} ORDER BY seen) FROM people{where}"
        if function.kind == "scalar":
            return f"SELECT seen, {value} AS x FROM people{where} QUALIFY row_number() OVER (ORDER BY seen) < 99"
        key = "sex" if name == "grouping" else self.expression("flag", PEOPLE, 1)
        by = self.dice.choice(["1", "ROLLUP (k)", "1" if name == "grouping" else "ALL"])
        return f"SELECT {key} AS k, {value} AS x FROM people{where} GROUP BY {by}"
