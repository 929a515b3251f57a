"""Arithmetic over whole numbers: guarded at every step, or only where it may overflow, it says the same."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.plan import total as total_forms
from sandbox.plan.errors import Refusal, SqlRefused
from sandbox.plan.ranges import is_whole_arithmetic, range_of
from sandbox.plan.render import Writer
from sandbox.plan.total import total
from sandbox.plan.tree import Expression, Operation, Select, Source
from sandbox.plan.walking import walk
from sandbox.plan.whole import widened
from tests.sandbox.plan.asking import World
from tests.sandbox.plan.test_total import NASTY
from tests.sandbox.plan.world import PEOPLE, TYPES

EDGES = [0, 1, -1, 3, -7, 40, 3_037_000_499, 3_037_000_500, 2**31 - 1, -(2**31), 2**61, 2**61 + 1, -(2**61) - 1,
         2**62, -(2**62), 2**63 - 1, -(2**63), None]  # fmt: skip
ATOMS = [
    "age", "hours", "0", "1", "-1", "7", "1000000", "9223372036854775807", "year(born)", "day(seen)",
    "microsecond(seen)", "length(note)", "strlen(sex)", "CAST(ok AS INTEGER)", "TRY_CAST(age AS INTEGER)",
    "date_diff('day', born, DATE '2000-01-01')", "date_diff('microsecond', born, seen)",
    "datesub('hours', born, seen)", "date_diff('week', born, seen)", "date_part('year', seen)",
    "born - DATE '1990-01-01'", "sign(age)", "bit_count(hours)", "yearweek(born)", "year(age(seen, born))",
    "hour(age(seen, born))", "instr(note, 'c')", "era(seen)",
]  # fmt: skip
FORMS = [
    "({} + {})", "({} - {})", "({} * {})", "({} // {})", "({} % {})", "coalesce({}, {})", "greatest({}, {})",
    "CASE WHEN ok THEN {} ELSE {} END", "if(ok, {}, {})", "nullif({}, {})", "abs({} - {})", "-({} + {})",
]  # fmt: skip


def whole(depth: int = 3) -> st.SearchStrategy[str]:
    atoms = st.sampled_from(ATOMS)
    if depth == 0:
        return atoms
    inner = whole(depth - 1)
    return st.one_of(atoms, st.builds(str.format, st.sampled_from(FORMS), inner, inner))


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    path: Path = tmp_path_factory.mktemp("edges") / "people.parquet"
    dice = random.Random(11)
    wide = NASTY | {"age": EDGES, "hours": EDGES}
    rows = [[dice.choice(values) for values in wide.values()] for _ in range(600)]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'{n} VARCHAR' for n in wide)})")
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(wide))})", rows)
        columns = ", ".join(f"CAST({name} AS {TYPES[name]}) AS {name}" for name in TYPES)
        connection.execute(f"COPY (SELECT {columns} FROM t) TO '{path}'")
        yield World(connection, [PEOPLE], {"people": [str(path)]})


def understood(world: World, text: str) -> tuple[Expression, str]:
    """And the table as the writer names it."""
    tree = world.plan(f"SELECT ({text}) IS NULL AS x FROM people").tree
    assert isinstance(tree, Select)
    assert isinstance(tree.source, Source)
    node = tree.items[0].expression
    assert isinstance(node, Operation)
    return node.operands[0], f"read_parquet('{world.sources['people'][0]}') AS {tree.source.relation}"


def guarded_each(node: Operation, inner: Callable[[Expression], Expression]) -> Expression:
    """As `whole.arithmetic`, with a guard at every step."""

    def step(each: Expression) -> Expression:
        if isinstance(each, Operation) and is_whole_arithmetic(each):
            return widened(Operation(each.type, each.symbol, tuple(map(step, each.operands))))
        return inner(each)

    return step(node)


def wrong(world: World, expressions: list[str], source: str) -> list[int]:
    """Of how many rows each is true."""
    counted = ", ".join(f"count(*) FILTER (WHERE {one})" for one in expressions)
    return list(world.connection.sql(f"SELECT {counted} FROM {source}").fetchall()[0])


def both_forms(world: World, text: str) -> tuple[Expression, Expression, str] | None:
    """Ours, and the one with a guard at every step; None for what is refused."""
    try:
        node, source = understood(world, text)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(total_forms, "arithmetic", guarded_each)
            guarded = total(node)
        return total(node), guarded, source
    except (SqlRefused, Refusal):
        return None


def _may_raise_alone(node: Expression, whole_one: Expression) -> bool:
    """What stands behind a guard is only there for the rows that the guard lets through."""
    cases = [each for each in walk(whole_one) if isinstance(each, Operation) and each.symbol == "case"]
    return any(
        node in list(walk(result)) for case in cases for result in (*case.operands[1::2], case.operands[-1])
    )


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=whole())
def test_generated_arithmetic_is_the_same_as_guarded_at_every_step_and_within_its_range(
    edges: World, text: str
) -> None:
    if (forms := both_forms(edges, text)) is None:
        return
    ours, guarded, source = forms
    writer = Writer({})
    said = [f"({writer.expression(ours)}) IS DISTINCT FROM ({writer.expression(guarded)})"]
    for inner in walk(ours):
        if inner.type.kind in {"INTEGER", "BIGINT"} and not _may_raise_alone(inner, ours):
            low, high = range_of(inner, {})
            said.append(f"({writer.expression(inner)})::HUGEINT NOT BETWEEN {low}::HUGEINT AND {high}::HUGEINT")
    assert wrong(edges, said, source) == [0] * len(said), text


@pytest.mark.parametrize(
    "text",
    ["(age // 10) * 10", "year(seen) - year(born)", "(age % 100) * 3 + length(note)", "-(hours // 2) - 1",
     "CAST(ok AS INTEGER) + CASE WHEN ok THEN 1 ELSE 0 END", "date_diff('day', born, seen) * 24"],
)  # fmt: skip
def test_what_cannot_overflow_by_its_form_stays_as_it_is_written(edges: World, text: str) -> None:
    forms = both_forms(edges, text)
    assert forms is not None
    ours, guarded, source = forms
    written = Writer({}).expression(ours)
    assert "HUGEINT" not in written
    assert wrong(edges, [f"{written} IS DISTINCT FROM {Writer({}).expression(guarded)}"], source) == [0]


@pytest.mark.parametrize("text", ["age + 1", "age * 2 + hours", "age * hours - age", "-age"])
def test_of_a_column_only_very_large_numbers_are_reckoned_in_a_wider_type(edges: World, text: str) -> None:
    forms = both_forms(edges, text)
    assert forms is not None
    ours, guarded, source = forms
    assert isinstance(ours, Operation)
    assert ours.symbol == "case"
    inside, plain, wide = (Writer({}).expression(each) for each in ours.operands)
    assert "HUGEINT" in wide
    assert "HUGEINT" not in plain
    differs = f"{Writer({}).expression(ours)} IS DISTINCT FROM {Writer({}).expression(guarded)}"
    assert wrong(edges, [differs], source) == [0]
    assert 0 < wrong(edges, [inside], source)[0] < 600


def test_a_long_arithmetic_is_written_once(edges: World) -> None:
    forms = both_forms(edges, " + ".join(["age"] * 40))
    assert forms is not None
    assert forms[0] == forms[1]
