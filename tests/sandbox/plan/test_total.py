"""Total forms never raise: each scalar of the table, and generated expressions, over the worst values."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings

from sandbox.plan.errors import Refusal, SqlRefused
from sandbox.plan.functions import FUNCTIONS, Function
from sandbox.plan.guarded import GUARDS
from sandbox.plan.render import Writer
from sandbox.plan.total import total
from sandbox.plan.tree import Select
from tests.sandbox.plan.asking import World
from tests.sandbox.plan.examples import EXAMPLES
from tests.sandbox.plan.questions import conditions, numbers
from tests.sandbox.plan.world import PEOPLE, TYPES

WHOLE = ["0", "-1", "3", "9223372036854775807", "-9223372036854775808", None]
TEXT = ["", "%q(", "[a", "\\", "đ é 🙂", "abc", '{"a":[1]}', "100%Z", " 99999-01", None]
DATES = ["2020-02-29", "5881580-07-10", "infinity", "-infinity", "5877642-06-25 (BC)", None]
MOMENTS = ["2020-02-29 00:00:00", "294247-01-10 04:00:54.775806", "infinity", "290309-12-22 (BC) 00:00:00", None]
NASTY = {
    "age": WHOLE, "hours": WHOLE, "sex": TEXT, "note": TEXT, "born": DATES, "seen": MOMENTS,
    "pay": ["0", "-1", "1e308", "-1e308", "nan", "inf", "0.5", None], "ok": ["true", "false", None],
    "cost": ["99999999.99", "-99999999.99", "0", None], "big": ["9" * 38, "-" + "9" * 38, "0", None],
}  # fmt: skip
COLUMNS = {
    "NUMBER": ["age", "pay", "cost", "big"], "DOUBLE": ["pay", "big", "age"], "WHOLE": ["age", "hours"],
    "INTEGER": ["TRY_CAST(age AS INTEGER)", "hours"], "VARCHAR": ["note", "sex"], "BOOLEAN": ["ok"],
    "TEMPORAL": ["born", "seen"], "MOMENT": ["born", "seen", "age(seen, born)"], "TIMESTAMP": ["seen", "born"],
    "DATE": ["born"], "INTERVAL": ["age(seen, born)", "to_months(age)"], "ANY": ["age", "note", "seen"],
    "PLAIN": ["age", "note"], "T": ["age", "pay", "cost"], "LIST": ["[age, hours]", "[note, NULL]"],
    "LIKE": ["[1, 2]"], "ITEM": ["3"], "NUMBERS": ["[age, hours]", "[pay]", "[big, big]"], "LISTS": ["[[age]]"],
    "SIZED": ["note", "[age]"], "DIGITS": ["3", "-400"], "TEXT": ["'%Y-%m'", "'$.a[0]'"], "PATH": ["'a'", "0"],
    "PART": ["'year'", "'day'", "'microsecond'"], "PLACE": ["0"], "PERIOD": ["INTERVAL 3 DAY"], "WAY": ["'DESC'"],
    "OPTIONS": ["'gi'"],
}  # fmt: skip


MOST = 8
MAY_BE_REFUSED = {
    "sql.type_mismatch", "sql.wrong_arguments", "sql.private_function", "sql.not_supported", "sql.too_many_terms",
}  # fmt: skip


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """`people` with the worst values of every type beside each other."""
    path: Path = tmp_path_factory.mktemp("nasty") / "people.parquet"
    dice = random.Random(7)
    rows = [[dice.choice(values) for values in NASTY.values()] for _ in range(400)]
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({', '.join(f'{n} VARCHAR' for n in NASTY)})")
        connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(NASTY))})", rows)
        columns = ", ".join(f"CAST({name} AS {TYPES[name]}) AS {name}" for name in TYPES)
        connection.execute(f"COPY (SELECT {columns} FROM t) TO '{path}'")
        yield World(connection, [PEOPLE], {"people": [str(path)]})


def run_total(world: World, *expressions: str) -> list[int]:
    """How many rows the total form of each expression has a value for; raises when one raises."""
    trees = [world.plan(f"SELECT ({one}) IS NULL AS x FROM people").tree for one in expressions]
    items = [item for tree in trees if isinstance(tree, Select) for item in tree.items]
    assert isinstance(trees[0], Select)
    changed = tuple(replace(item, expression=total(item.expression)) for item in items)
    written = Writer(world.sources).query(replace(trees[0], items=changed))
    counted = ", ".join(f"count(*) FILTER (WHERE NOT c{i})" for i in range(len(items)))
    return list(world.connection.sql(f"SELECT {counted} FROM ({written})").fetchall()[0])


def calls(function: Function) -> list[str]:
    """Calls with every kind of column, with as few and as many arguments as it takes."""
    words = [word.rstrip("?*") for word in function.arguments]
    fewest = sum(1 for word in function.arguments if word[-1] not in "?*")
    found = [
        f"{function.name}({', '.join(given)})"
        for count in {fewest, len(words)}
        for given in product(*(COLUMNS[word] for word in words[:count]))
    ]
    return random.Random(function.name).sample(found, min(len(found), MOST)) + EXAMPLES[function.name]


@pytest.mark.parametrize("name", sorted(n for n, f in FUNCTIONS.items() if f.kind == "scalar"))
def test_the_total_form_of_a_function_never_raises(nasty: World, name: str) -> None:
    function, understood = FUNCTIONS[name], []
    for call in calls(function):
        try:
            nasty.plan(f"SELECT ({call}) IS NULL AS x FROM people")
            understood.append(call)
        except SqlRefused as refused:
            assert refused.code in {"sql.wrong_arguments", "sql.type_mismatch"}, call  # noqa: PT017
    assert understood
    if function.total == "none":
        with pytest.raises(Refusal):
            run_total(nasty, *understood)
        return
    for call in understood:
        try:
            run_total(nasty, call)
        except Refusal as refused:
            assert refused.code == "sql.private_function"  # noqa: PT017
            assert "big" in call or "seen - born" in call, "of more than 38 digits, or an interval"


def test_what_is_guarded_is_what_has_a_guard() -> None:
    guarded = {name for name, function in FUNCTIONS.items() if function.total == "guarded"}
    assert guarded == GUARDS.keys()


def test_aggregates_have_no_total_form(nasty: World) -> None:
    assert {f.total for f in FUNCTIONS.values() if f.kind != "scalar"} == {"none"}
    with pytest.raises(Refusal):
        run_total(nasty, "sum(age)")


@pytest.mark.parametrize(
    ("expression", "values"),
    [
        ("age + 1", True),
        ("CAST(note AS BIGINT)", False),
        ("age // 0", False),
        ("seen > born", True),
        ("-age", True),
    ],
)
def test_what_would_raise_is_null_and_the_rest_stays(nasty: World, expression: str, values: bool) -> None:
    with pytest.raises(duckdb.Error):
        nasty.plain(f"SELECT {expression} FROM read_parquet('{nasty.sources['people'][0]}')")
    assert bool(run_total(nasty, expression)[0]) == values


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(number=numbers(), condition=conditions())
def _never_raises(world: World, number: str, condition: str) -> None:
    for expression in (number, condition):
        try:
            run_total(world, expression)
        except (SqlRefused, Refusal) as refused:
            assert refused.code in MAY_BE_REFUSED  # noqa: PT017


def test_generated_expressions_never_raise(nasty: World) -> None:
    _never_raises(nasty)
