"""Generates questions as text: written with few parentheses, so that precedence is put to the test too."""

from __future__ import annotations

from hypothesis import strategies as st

Text = st.SearchStrategy[str]

_NUMBER_WORDS = [
    "age",
    "hours",
    "pay",
    "cost",
    "1",
    "2",
    "0.5",
    "-3",
    "year(born)",
    "length(note)",
    "CAST(cost AS BIGINT)",
]
_TEXT_WORDS = ["sex", "note", "'Male'", "'n1'", "upper(sex)", "left(note, 2)", "coalesce(sex, '?')"]
_DATE_WORDS = ["born", "DATE '2020-06-01'", "born + 30", "last_day(born)", "born - 7"]


def _joined(parts: Text, operators: list[str], most: int = 4) -> Text:
    rest = st.lists(st.tuples(st.sampled_from(operators), parts), max_size=most - 1)
    return st.builds(lambda first, more: first + "".join(f" {o} {p}" for o, p in more), parts, rest)


def _wrapped(inner: Text) -> Text:
    return inner.map(lambda text: f"({text})")


def numbers(depth: int = 2) -> Text:
    """Numeric expressions that never divide by zero."""
    atoms = st.sampled_from(_NUMBER_WORDS)
    if depth == 0:
        return atoms
    inner = numbers(depth - 1)
    parts = st.one_of(
        atoms, _wrapped(inner), inner.map(lambda x: f"-({x})"), inner.map(lambda x: f"abs({x})"),
        inner.map(lambda x: f"round({x}, 1)"), st.builds("coalesce({}, {})".format, inner, atoms),
        st.builds("CASE WHEN {} THEN {} ELSE {} END".format, conditions(depth - 1), inner, inner),
        st.builds("greatest({}, {})".format, inner, atoms), inner.map(lambda x: f"({x}) / 4"),
    )  # fmt: skip
    return _joined(parts, ["+", "-", "*"])


def texts(depth: int = 1) -> Text:
    """Text expressions."""
    return _joined(st.sampled_from(_TEXT_WORDS), ["||"]) if depth else st.sampled_from(_TEXT_WORDS)


def conditions(depth: int = 2) -> Text:
    """Boolean expressions."""
    number = numbers(0) if depth < 2 else numbers(1)
    compare = st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "IS DISTINCT FROM"])
    dates = [*_DATE_WORDS, "'2020-01-05'"]
    simple = st.one_of(
        st.just("ok"), st.builds("{} {} {}".format, number, compare, number),
        st.builds("{} {} {}".format, texts(), compare, st.sampled_from(_TEXT_WORDS)),
        st.builds("{} {} {}".format, st.sampled_from(_DATE_WORDS), compare, st.sampled_from(dates)),
        st.builds("{} BETWEEN {} AND {}".format, number, number, number),
        texts(0).map(lambda t: f"{t} LIKE '%a%'"),
        st.builds("{} NOT IN ({}, 3)".format, numbers(0), numbers(0)), texts(0).map(lambda t: f"{t} IS NOT NULL"),
        texts(0).map(lambda t: f"{t} NOT ILIKE 'F%'"), texts(0).map(lambda t: f"{t} IN ('Male', 'n2')"),
    )  # fmt: skip
    if depth == 0:
        return simple
    inner = conditions(depth - 1)
    parts = st.one_of(
        simple, _wrapped(inner), inner.map(lambda c: f"NOT {c}"), inner.map(lambda c: f"({c}) IS TRUE")
    )
    return _joined(parts, ["AND", "OR"])


def aggregates() -> Text:
    """Aggregates of people."""
    name = st.sampled_from(["sum", "avg", "min", "max", "count", "stddev_pop"])
    plain = st.builds("{}({})".format, name, numbers(1))
    return st.one_of(
        st.just("count(*)"), plain, st.builds("{} FILTER (WHERE {})".format, plain, conditions(1)),
        texts(0).map(lambda t: f"count(DISTINCT {t})"), texts().map(lambda t: f"max({t})"),
    )  # fmt: skip


def keys() -> Text:
    """What to group by."""
    return st.sampled_from(["sex", "ok", "age % 3", "year(born)", "note", "age > 20", "upper(sex)", "hours // 10"])


def selects() -> Text:
    """Whole questions."""
    rows = st.builds(
        "SELECT seen, {} AS a, {} AS b, {} AS c FROM people WHERE {}".format,
        numbers(),
        conditions(),
        texts(),
        conditions(),
    )
    grouped = st.builds(
        "SELECT {0} AS k, {1} AS a, {2} AS b FROM people WHERE {3} GROUP BY {0} HAVING {1} IS NOT NULL".format,
        keys(), aggregates(), aggregates(), conditions(1),
    )  # fmt: skip
    joined = st.builds(
        "SELECT p.seen, s.rank, {} AS a FROM people p {} JOIN shops s ON p.sex = s.sex AND {}".format,
        st.sampled_from(["p.age + s.rank", "coalesce(s.rank, p.hours)"]),
        st.sampled_from(["", "LEFT", "FULL", "RIGHT"]),
        st.sampled_from(["p.ok", "p.age > s.rank * 10", "s.rank IS NOT NULL"]),
    )  # fmt: skip
    windowed = st.builds(
        "SELECT seen, {} OVER (PARTITION BY {} ORDER BY seen) AS w FROM people WHERE {}".format,
        st.one_of(st.sampled_from(["row_number()", "lag(age)", "sum(cost)", "avg(pay)", "first_value(note)"])),
        keys(),         conditions(1),
    )  # fmt: skip
    nested = st.builds(
        "WITH x AS (SELECT {} AS k, {} AS v FROM people GROUP BY 1) SELECT k, v, (SELECT max(v) FROM x) FROM x "
        "WHERE k IN (SELECT k FROM x WHERE v IS NOT NULL)".format,
        keys(), aggregates(),
    )  # fmt: skip
    return st.one_of(rows, grouped, joined, windowed, nested)
