"""Each function of the table in aggregate mode: straight over cohorts where it may, above a SELECT always."""

from __future__ import annotations

import pytest

from sandbox.plan.functions import FUNCTIONS
from tests.sandbox.disclosure.persons import PAIRS
from tests.sandbox.plan.asking import World, same
from tests.sandbox.plan.examples import differing, groups

ABOVE = """(SELECT hang AS sex, nam % 60 AS age, nam % 7 AS hours, round(avg(diem), 3) AS pay, cap AS born,
cap + to_seconds(nam * 1000 + ascii(hang) % 4 * 100 + length(tinh) * 2 + if(moi, 1, 0)) AS seen, moi AS ok,
CAST(nam / 8 AS DECIMAL(10,2)) AS cost,
coalesce(tinh, 'n1_"') AS note FROM licences WHERE tinh IS NOT NULL GROUP BY hang, nam, cap, moi, tinh) AS t"""
DIMENSIONS = {"ANY": "tinh", "BOOLEAN": "moi", "WHOLE": "nam", "NUMBER": "nam", "DOUBLE": "nam", "VARCHAR": "tinh",
              "FRACTION": "0.5", "ORDERED": "nam", "CONTINUOUS": "nam", "TEXT": "', '"}  # fmt: skip
AGGREGATES = sorted(name for name, function in FUNCTIONS.items() if function.kind == "aggregate")


def over_cohorts(name: str, columns: tuple[str, ...] = ()) -> str:
    """The function over dimensions, its first arguments `columns` if they are given."""
    function = FUNCTIONS[name]
    given = [DIMENSIONS[word.rstrip("?*")] for word in function.arguments if word[-1] != "*"]
    if name == "grouping":
        given = ["hang"]
    given[: len(columns)] = columns
    ordered = " ORDER BY nam" if function.determinism == "order" else ""
    return f"SELECT hang, {name}({', '.join(given)}{ordered}) AS x FROM licences GROUP BY hang"


@pytest.mark.parametrize("name", AGGREGATES)
def test_straight_over_cohorts_it_answers_what_it_would_over_persons_or_is_refused(
    persons: World, name: str
) -> None:
    function, sql = FUNCTIONS[name], over_cohorts(name)
    if function.cohorts:
        assert same(persons.ours(sql), persons.plain(sql))
    else:
        assert persons.refusal(sql).code == "sql.not_over_cohorts"
    if function.arguments and name != "grouping":
        measured = over_cohorts(name, PAIRS[0][: len(function.arguments)] if function.cohorts else ("diem",))
        if function.cohorts == "measure":
            assert same(persons.ours(measured), persons.plain(measured))
        else:
            assert persons.refusal(measured).code in {"sql.measure_function", "sql.wrong_arguments"}
    assert ("aggregate" in function.modes) == bool(function.cohorts)


@pytest.mark.parametrize(("kind", "calls"), groups(40))
def test_above_a_grouped_select_each_answers_what_it_would_over_persons(
    persons: World, kind: str, calls: list[str]
) -> None:
    assert differing(persons, kind, calls, ABOVE) == []
