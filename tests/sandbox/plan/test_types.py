"""The types that we predict are those that DuckDB gives."""

from __future__ import annotations

from itertools import product

import duckdb
import pytest

from sandbox.plan.errors import SqlRefused
from sandbox.plan.functions import FUNCTIONS, Function
from tests.sandbox.plan.asking import World
from tests.sandbox.plan.examples import EXAMPLES

SAMPLES = {
    "ANY": ["age", "sex", "born", "cost"],
    "T": ["age", "cost", "1.5"],
    "NUMBER": ["age", "pay", "cost", "big", "7"],
    "DOUBLE": ["pay", "age", "cost"],
    "WHOLE": ["2"],
    "INTEGER": ["2", "age"],
    "VARCHAR": ["note"],
    "BOOLEAN": ["ok"],
    "TEMPORAL": ["born", "seen"],
    "TIMESTAMP": ["seen"],
    "DATE": ["born"],
    "LIST": ["['a', 'b']", "[1, 2]", "[age]"],
    "NUMBERS": ["[1, 2]", "[pay]", "[cost]"],
    "SIZED": ["note", "[1]"],
    "ORDERED": ["age", "cost", "born", "seen", "pay", "sex", "big"],
    "CONTINUOUS": ["age", "cost", "born", "seen", "pay", "big"],
    "MOMENT": ["born", "seen", "seen - born"],
    "PLAIN": ["age", "note", "born", "ok"],
    "DIGITS": ["1", "0"],
    "LIKE": ["[1, 2]"],
    "PART": ["'year'"],
    "TEXT": ["', '"],
    "FRACTION": ["0.5"],
}
SPECIAL = {
    "strptime": ["strptime('2020-01-01', '%Y-%m-%d')"],
    "try_strptime": ["try_strptime(note, '%Y-%m-%d')"],
    "chr": ["chr(65)"],
    "make_date": ["make_date(2020, 1, 2)"],
    "regexp_extract": ["regexp_extract(note, 'n([0-9])', 1)", "regexp_extract(note, 'n')"],
    "regexp_replace": ["regexp_replace(note, 'n', 'm', 'g')"],
    "make_timestamp": ["make_timestamp(2020, 1, 2, 3, 4, 5.5)", "make_timestamp(2020, 1, 2, 3, 4, age)"],
    "factorial": ["factorial(9)"],
    "date_part": ["date_part('epoch', born)", "date_part('year', seen)", "date_part('months', born)"],
    "ln": ["ln(1 + age)"], "log": ["log(1 + age)", "log(2, 1 + age)"], "log2": ["log2(1 + age)"],
    "log10": ["log10(1 + age)"], "asin": ["asin(0.5)"], "acos": ["acos(0.5)"], "cot": ["cot(1 + pay)"],
    "round": ["round(cost, 1)", "round(cost)", "round(age, 1)", "round(pay, 2)", "round(big, 2)", "round(cost, 5)",
              "round(cost, -1)"],
    "trunc": ["trunc(cost, 1)", "trunc(cost)", "trunc(age)", "trunc(pay)"],
    "mod": ["mod(age, 7)", "mod(cost, 7)", "mod(big, 7)"],
    "list_contains": ["list_contains([1, 2], age)", "list_contains(['a'], note)",
                      "list_contains([born], '2020-01-01')"],
    "strftime": ["strftime(born, '%Y-%m')", "strftime(seen, '%H')"],
    "grouping": ["grouping(age)"],
    "gcd": ["gcd(age, 2)"], "lcm": ["lcm(age, 2)"],
    "ntile": ["ntile(3) OVER (ORDER BY age)"],
    "lag": ["lag(cost, 1, 0) OVER (ORDER BY age)", "lag(age) OVER (ORDER BY age)"],
    "lead": ["lead(pay, 1, 0) OVER (ORDER BY age)", "lead(age) OVER (ORDER BY age)"],
}  # fmt: skip


def calls_of(function: Function) -> list[str]:
    """Calls that use the function with every kind of argument it takes."""
    if function.name in SPECIAL:
        return SPECIAL[function.name]
    if function.name.startswith(("json_", "list_has_", "to_base")) or not {
        w.rstrip("?*") for w in function.arguments
    } <= set(SAMPLES):
        return [f"{c} OVER (ORDER BY age)" if function.kind == "window" else c for c in EXAMPLES[function.name]]
    samples = [SAMPLES[w.rstrip("?*")] for w in function.arguments if not w.endswith(("?", "*"))]
    found = [f"{function.name}({', '.join(given)})" for given in product(*samples)][:12]
    full = [SAMPLES[w.rstrip("?*")][0] for w in function.arguments]
    found.append(f"{function.name}({', '.join(full)})")
    if function.determinism == "order":
        found = [call.removesuffix(")") + " ORDER BY age)" for call in found]
    return [f"{call} OVER (ORDER BY age)" for call in found] if function.kind == "window" else found


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_every_function_has_the_type_that_duckdb_gives_it(world: World, name: str) -> None:
    tried = 0
    for call in calls_of(FUNCTIONS[name]):
        sql = f"SELECT {call} AS x FROM people" + (" GROUP BY age" if name == "grouping" else "")
        try:
            plan = world.plan(sql)
        except SqlRefused as refused:
            # Arguments that cannot stand together, or an answer that is never returned as it is.
            assert refused.code in {"sql.type_mismatch", "sql.not_returnable", "sql.wrong_arguments"}, sql  # noqa: PT017
            if refused.code == "sql.not_returnable":
                world.ours(f"SELECT CAST({call} AS VARCHAR) AS x FROM people")
                tried += 1
            continue
        assert world.engine_types(sql) == [c.type for c in plan.output], sql
        world.ours(sql)
        tried += 1
    assert tried


OPERANDS = ["age", "pay", "cost", "big", "1", "-7", "1.25", "3000000000", "99999999999999999999", "1e3",
            "sum(cost)", "sum(age)", "count(*)", "avg(pay)"]  # fmt: skip


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**"])
def test_arithmetic_has_the_types_that_duckdb_gives_it(world: World, symbol: str) -> None:
    for left, right in product(OPERANDS, OPERANDS):
        sql = f"SELECT {left} {symbol} {right} AS x FROM people GROUP BY age, pay, cost, big"
        assert world.engine_types(sql) == [c.type for c in world.plan(sql).output], sql


MIXED = ["NULL", "age", "pay", "cost", "big", "1", "1.25", "born", "seen", "sex", "ok", "'2020-01-01'"]


@pytest.mark.parametrize(
    "form", ["coalesce({0}, {1})", "CASE WHEN ok THEN {0} ELSE {1} END", "greatest({0}, {1})", "[{0}, {1}]"]
)
def test_what_is_mixed_has_the_type_that_duckdb_gives_it(world: World, form: str) -> None:
    agreed = 0
    for left, right in product(MIXED, MIXED):
        sql = f"SELECT {form.format(left, right)} AS x FROM people"
        try:
            plan = world.plan(sql)
        except SqlRefused as refused:
            assert refused.code == "sql.type_mismatch"  # noqa: PT017
            continue
        try:
            expected = world.engine_types(sql)
        except duckdb.ConversionException:  # a string constant that is no such value: an error in plain DuckDB too
            continue
        assert expected == [c.type for c in plan.output], sql
        agreed += 1
    assert agreed > 20
