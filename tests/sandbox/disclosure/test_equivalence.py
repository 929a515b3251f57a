"""Any question that is accepted over cohorts answers what it would over persons (nothing suppressed)."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sandbox.plan.asking import World, same

CONDITIONS = [
    "tinh = 'Huế'", "hang IN ('A', 'C')", "nam > 1990", "moi", "NOT moi", "tinh IS NULL", "cap = '2020-01-01'",
    "tinh LIKE '%ầ%'", "nam BETWEEN 1990 AND 1991", "hang <> 'B' AND nam <> 1992", "FALSE",
    "tinh IS NOT NULL OR moi",
    "tinh IN (SELECT tinh FROM places)",
]  # fmt: skip
KEYS = [
    "tinh",
    "hang",
    "nam",
    "moi",
    "cap",
    "year(cap)",
    "nam // 2",
    "upper(hang)",
    "(tinh IS NULL)",
    "coalesce(tinh, '?')",
]
MEASURED = [
    "count",
    "sum",
    "avg",
    "variance",
    "var_pop",
    "stddev",
    "stddev_pop",
    "mean",
    "var_samp",
    "stddev_samp",
]
COUNTED = [
    "count(*)",
    "count(tinh)",
    "count(DISTINCT hang)",
    "min(nam)",
    "max(tinh)",
    "bool_or(moi)",
    "count(nam + 1)",
]

conditions = st.one_of(
    st.sampled_from(CONDITIONS),
    st.builds("({}) AND ({})".format, st.sampled_from(CONDITIONS), st.sampled_from(CONDITIONS)),
    st.builds("NOT ({})".format, st.sampled_from(CONDITIONS)),
)
plain = st.one_of(
    st.sampled_from(COUNTED),
    st.builds("{}({})".format, st.sampled_from(MEASURED), st.sampled_from(["diem", "phat"])),
)
aggregates = st.one_of(plain, st.builds("{} FILTER (WHERE {})".format, plain, conditions))
expressions = st.one_of(
    aggregates,
    st.builds("round({}, 3)".format, st.builds("{}({})".format, st.sampled_from(MEASURED), st.just("phat"))),
    st.builds("100.0 * count(*) / nullif({}, 0)".format, st.builds("count({})".format, st.just("diem"))),
)


@st.composite
def questions(draw: st.DrawFn) -> str:
    """A grouped SELECT over licences, sometimes inside another query."""
    keys = draw(st.lists(st.sampled_from(KEYS), max_size=2, unique=True))
    items = [f"{key} AS k{i}" for i, key in enumerate(keys)]
    items += [f"{one} AS v{i}" for i, one in enumerate(draw(st.lists(expressions, min_size=1, max_size=3)))]
    sql = f"SELECT {', '.join(items)} FROM licences"
    if draw(st.booleans()):
        sql += f" WHERE {draw(conditions)}"
    if keys:
        form = draw(st.sampled_from(["{}", "ROLLUP ({})", "CUBE ({})", "ALL"]))
        sql += f" GROUP BY {form.format(', '.join(keys))}"
    if draw(st.booleans()):
        sql += f" HAVING {draw(aggregates)} IS NOT NULL"
    return f"SELECT * FROM ({sql}) WHERE v0 IS NOT NULL" if draw(st.booleans()) else sql


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=questions())
def _compare(persons: World, sql: str) -> None:
    ours, answers = persons.ours(sql), persons.plain(sql)
    assert same(ours, answers), (sql, ours[:5], answers[:5])


def test_generated_questions_over_cohorts_get_the_answers_over_persons(persons: World) -> None:
    _compare(persons)
