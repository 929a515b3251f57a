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
    "sem",
]
COUNTED = [
    "count(*)",
    "count(tinh)",
    "count(DISTINCT hang)",
    "min(nam)",
    "max(tinh)",
    "bool_or(moi)",
    "count(nam + 1)",
    "sum(nam)",
    "count_if(moi OR hang = 'A')",
    "avg(CASE WHEN hang = 'A' THEN 1 ELSE 0 END)",
]
WITHIN = ["diem", "phat", "nam", "diem * 2 - nam", "diem + gio", "CASE WHEN hang = 'A' THEN diem END", "phat / 4",
          "CASE WHEN moi THEN phat ELSE nam END"]  # fmt: skip
PAIRED = ["corr", "covar_pop", "covar_samp", "regr_slope", "regr_intercept", "regr_r2", "regr_count", "regr_avgx"]
OF_PAIRS = [
    "diem, gio",
    "gio, diem",
    "diem, nam - 1990",
    "nam - 1990, phat",
    "gio + 1, diem - gio",
    "nam - 1990, year(cap) - 2020",
]
JOINED = [
    "licences l JOIN places p USING (tinh)",
    "licences l LEFT JOIN (SELECT tinh AS noi, dan FROM places) p ON noi = l.tinh",
    "(SELECT tinh AS noi, dan FROM places) p LEFT JOIN licences l ON noi = l.tinh AND l.moi",
    "licences l SEMI JOIN places p USING (tinh)",
    "(SELECT nam AS nam_1, count(*) AS dan FROM licences GROUP BY nam) p JOIN licences l ON l.nam = p.nam_1",
]  # fmt: skip

conditions = st.one_of(
    st.sampled_from(CONDITIONS),
    st.builds("({}) AND ({})".format, st.sampled_from(CONDITIONS), st.sampled_from(CONDITIONS)),
    st.builds("NOT ({})".format, st.sampled_from(CONDITIONS)),
)
plain = st.one_of(
    st.sampled_from(COUNTED),
    st.builds("{}({})".format, st.sampled_from(MEASURED), st.sampled_from(WITHIN)),
    st.builds("{}({})".format, st.sampled_from(PAIRED), st.sampled_from(OF_PAIRS)),
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
    joined = draw(st.sampled_from(["licences", "licences", *JOINED]))
    sql = f"SELECT {', '.join(items)} FROM {joined}"
    if draw(st.booleans()):
        sql += f" WHERE {draw(conditions)}"
    if keys:
        form = draw(st.sampled_from(["{}", "ROLLUP ({})", "CUBE ({})", "ALL"]))
        sql += f" GROUP BY {form.format(', '.join(keys))}"
    if draw(st.booleans()):
        sql += f" HAVING {draw(aggregates)} IS NOT NULL"
    return f"SELECT * FROM ({sql}) WHERE v0 IS NOT NULL" if draw(st.booleans()) else sql


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=questions())
def test_generated_questions_over_cohorts_get_the_answers_over_persons(persons: World, sql: str) -> None:
    ours, answers = persons.ours(sql), persons.plain(sql)
    assert same(ours, answers), (sql, ours[:5], answers[:5])
