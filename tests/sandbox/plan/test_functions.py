"""Each function of the table answers what plain DuckDB answers; what is not in it is refused with advice."""

from __future__ import annotations

import pytest

from sandbox.plan.elsewhere import INSTEAD, NONDETERMINISTIC, OUTSIDE
from sandbox.plan.functions import FUNCTIONS
from tests.sandbox.plan.asking import World
from tests.sandbox.plan.examples import EXAMPLES, differing, groups


def test_every_function_has_an_example_and_every_example_a_function() -> None:
    assert set(EXAMPLES) == set(FUNCTIONS)


@pytest.mark.parametrize(("kind", "calls"), groups(25))
def test_in_rows_mode_each_answers_what_plain_duckdb_answers(world: World, kind: str, calls: list[str]) -> None:
    assert differing(world, kind, calls) == []


def test_an_order_is_put_where_the_answer_would_depend_on_that_of_the_rows(world: World) -> None:
    for name in (f.name for f in FUNCTIONS.values() if f.determinism == "sorted"):
        assert world.ours(f"SELECT {name}(note) FROM people WHERE age < 20") == world.plain(
            f"SELECT {name}(note ORDER BY note) FROM people WHERE age < 20"
        )
    for name in (f.name for f in FUNCTIONS.values() if f.determinism == "order"):
        refused = world.refusal(f"SELECT {name}(note) FROM people")
        assert (refused.code, refused.params["use"]) == ("sql.nondeterministic", f"{name}(x ORDER BY y)")


def test_the_standards_ordered_list_is_understood_where_plain_duckdb_does_not(world: World) -> None:
    for name in ("listagg", "string_agg", "group_concat"):
        ours = world.ours(f"SELECT {name}(note, ';') WITHIN GROUP (ORDER BY seen DESC) FROM people")
        assert ours == world.plain("SELECT string_agg(note, ';' ORDER BY seen DESC) FROM people")


@pytest.mark.parametrize(
    ("word", "use"),
    [
        ("NVL", "coalesce"), ("ISNULL", "coalesce(x, y), x IS NULL"), ("LEN2", "len"),
        ("GETDATE", "TIMESTAMP '2026-01-31 00:00:00'"),
        ("TO_CHAR", "strftime(d, '%Y-%m'), CAST(x AS VARCHAR)"),
        ("DATEADD", "d + INTERVAL 1 DAY"), ("CHARINDEX", "strpos"),
        ("LISTAG", "listagg"),
        ("percentile_cont", "quantile_cont(x, 0.5)"), ("jsn_extract", "json_extract"), ("uper", "upper"),
        ("date_tronc", "date_trunc"), ("unaccent", "strip_accents"), ("qwertz", ""),
    ],
)  # fmt: skip
def test_what_is_not_in_the_table_is_refused_with_its_place_and_the_nearest(
    world: World, word: str, use: str
) -> None:
    refused = world.refusal(f"SELECT age,\n  {word}(sex, 1)\nFROM people")
    assert refused.code in {"sql.unknown_function", "sql.nondeterministic"}
    assert (refused.line, refused.column, refused.word, refused.params["use"]) == (2, 3, word, use)


def test_what_is_told_to_use_instead_is_in_the_table() -> None:
    plain = {use for use in INSTEAD.values() if use.isidentifier()}
    assert plain <= set(FUNCTIONS)


def test_what_reaches_outside_or_throws_dice_is_no_row_of_the_table() -> None:
    assert not (NONDETERMINISTIC | OUTSIDE) & set(FUNCTIONS)
