"""What a plan says of its query: what it reads, what it gives, and that it can be trusted to be the same again."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import pytest

from sandbox.job import Column, TableSchema
from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import plan_query
from sandbox.plan.render import render
from tests.sandbox.plan.asking import World
from tests.sandbox.plan.spec import ACCEPTED
from tests.sandbox.plan.world import PEOPLE, TABLES, TYPES

READS = {
    "SELECT count(*) FROM people": {"people": ()},
    "SELECT 1": {},
    "SELECT age FROM people": {"people": ("age",)},
    "SELECT * FROM people": {"people": tuple(TYPES)},
    "SELECT count(*) FROM people WHERE sex = 'Male'": {"people": ("sex",)},
    "SELECT max(age) FROM people GROUP BY sex HAVING min(pay) > 1 ORDER BY max(hours)": {
        "people": ("age", "sex", "hours", "pay")
    },
    "SELECT rank() OVER (PARTITION BY ok ORDER BY seen) FROM people": {"people": ("seen", "ok")},
    "SELECT count(*) FILTER (WHERE ok) FROM people": {"people": ("ok",)},
    "SELECT rank FROM shops JOIN people USING (sex)": {"shops": ("sex", "rank"), "people": ("sex",)},
    "SELECT rank FROM shops SEMI JOIN people ON shops.sex = people.note": {
        "shops": ("sex", "rank"), "people": ("note",)},
    "SELECT k FROM (SELECT age AS k, pay FROM people)": {"people": ("age", "pay")},
    "WITH x AS (SELECT age FROM people) SELECT 1": {"people": ("age",)},
    "SELECT rank FROM shops s WHERE EXISTS (SELECT 1 FROM people p WHERE p.sex = s.sex)": {
        "shops": ("sex", "rank"), "people": ("sex",)},
    "SELECT age AS a, a + 1 FROM people ORDER BY hours": {"people": ("age", "hours")},
    "SELECT string_agg(note, ',' ORDER BY pay) FROM people": {"people": ("pay", "note")},
    "SELECT * EXCLUDE (sex) FROM shops": {"shops": ("Tên cửa hàng", "rank")},
}  # fmt: skip


@pytest.mark.parametrize("sql", READS)
def test_reads_names_every_column_that_is_touched_and_no_other(sql: str) -> None:
    assert plan_query(sql, TABLES).reads == READS[sql]


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT age, AGE, age + 1 AS Age FROM people", ["age", "AGE_2", "Age_3"]),
        ("SELECT count(*), count(hours), max(age) FROM people", ["count", "count_2", "max"]),
        ("SELECT 1 AS a, 2 AS a, 3 AS a_2", ["a", "a_3", "a_2"]),
        ("SELECT 1, 'x', 1 + 1", ["value", "value_2", "add"]),
    ],
)
def test_names_of_the_answer_are_unique_whatever_their_case(world: World, sql: str, names: list[str]) -> None:
    world.ours(sql)
    found = [c.name for c in world.plan(sql).output]
    assert [n.lower() for n in found] == [n.lower() for n in names]


def test_columns_outside_the_agreement_do_not_exist() -> None:
    narrow = TableSchema(name="people", mode="rows", columns=PEOPLE.columns[:2])
    assert [c.name for c in plan_query("SELECT * FROM people", [narrow]).output] == ["age", "sex"]
    with pytest.raises(SqlRefused) as refused:
        plan_query("SELECT pay FROM people", [narrow])
    assert refused.value.code == "sql.unknown_column"
    assert refused.value.params["columns"] == "age, sex"


def test_a_kept_plan_is_not_used_for_other_columns() -> None:
    sql = "SELECT x FROM t"
    columns = [Column(name="x", type=t) for t in ("BIGINT", "VARCHAR")]
    tables = [TableSchema(name="t", mode="rows", columns=(column,)) for column in columns]
    assert [plan_query(sql, [t]).output[0].type for t in tables] == ["BIGINT", "VARCHAR"]
    assert plan_query(sql, [tables[0]]) is plan_query(sql, [tables[0]])


ANY = "x IN ('a', 'b'), x IN (SELECT …), x LIKE 'a%' OR x LIKE 'b%'"


def test_the_nearest_name_is_offered() -> None:
    nearest = {
        "SELECT agee FROM people": "age", "SELECT age FROM poeple": "people",
        "SELECT uper(sex) FROM people": "upper", "SELECT nvl(sex, 'x') FROM people": "coalesce",
        "SELECT date_trunc(born, MONTH) FROM people": "'MONTH'",
        'SELECT age FROM people WHERE sex = "Male"': "'Male'",
        "SELECT age FROM people WHERE rownum <= 5": "LIMIT 10",
        "SELECT `age` FROM people": '"x"',
        "SELECT TOP 10 age FROM people": "LIMIT 10",
        "SELECT age FROM people # all": "-- …",
        "SELECT group_concat(sex SEPARATOR ',') FROM people": "string_agg(x, ',')",
        "SELECT sex FROM people MINUS SELECT sex FROM shops": "EXCEPT",
        "SELECT age FROM people FETCH FIRST 5 ROWS ONLY": "LIMIT 10",
        "SELECT age FROM public.people": "FROM people",
        "SELECT sex, count(*) FROM people GROUP BY sex WITH ROLLUP": "GROUP BY ROLLUP (x)",
        "SELECT age FROM people WHERE sex LIKE ANY ('M%', 'F%')": ANY,
        "SELECT age FROM people WHERE sex = ANY ('{Male}')": ANY,
        "SELECT age FROM people WHERE sex ~* 'male'": "x ~ '(?i)a'", "SELECT N'x' FROM people": "'a'",
        "SELECT e'a\\nb' FROM people": "'a', chr(10)", "SELECT columns('a.*') FROM people": "a, b",
        "SELECT json_object('a', age) FROM people": "concat(a, ', ', b)",
        "SELECT age FROM people WHERE sex IS NOT 'Male'": "x IS DISTINCT FROM y",
        "SELECT age::float64 FROM people": "DOUBLE",
    }  # fmt: skip
    for sql, use in nearest.items():
        with pytest.raises(SqlRefused) as refused:
            plan_query(sql, TABLES)
        assert refused.value.params["use"] == use


def test_rendering_names_only_what_was_read(world: World) -> None:
    for group in ACCEPTED.values():
        for sql in group:
            plan = world.plan(sql)
            written = render(plan, world.sources)
            read = {column for columns in plan.reads.values() for column in columns}
            for column in {*TYPES, "Tên cửa hàng", "rank"} - read:
                assert f'."{column}"' not in written, (sql, column)


def test_a_plan_cannot_be_changed() -> None:
    tree = plan_query("SELECT age FROM people", TABLES).tree
    assert is_dataclass(tree)
    with pytest.raises(AttributeError):
        setattr(tree, fields(tree)[0].name, ())


@pytest.mark.parametrize("name", ["", "x\ny", "\u202eage", "x" * 129])
def test_a_name_that_cannot_head_a_column_is_refused_however_it_was_given(world: World, name: str) -> None:
    for sql in (
        f'SELECT 1 AS "{name}"',
        f'SELECT * FROM (SELECT 1 AS a) t("{name}")',
        f'WITH t("{name}") AS (SELECT 1) SELECT * FROM t',
    ):
        assert world.refusal(sql).code == "sql.name_not_usable"
