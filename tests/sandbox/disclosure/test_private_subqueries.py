"""dp mode: how many rows a subquery has, or whether it has any, is asked of no person: each is refused unrun."""

from __future__ import annotations

import pytest

from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import plan_query
from tests.sandbox.disclosure.survey import SURVEY

WITHIN = (
    "age > (SELECT age FROM survey WHERE village = 'x')",
    "age = (SELECT avg(age) FROM survey)",
    "age IN (SELECT age FROM survey WHERE village = 'x')",
    "age NOT IN (SELECT NULL)",
    "age NOT IN (SELECT age FROM survey WHERE village IS NULL)",
    "EXISTS (SELECT 1 FROM survey t WHERE t.age = s.age AND t.village = 'x')",
    "NOT EXISTS (SELECT 1 FROM survey t WHERE t.age = s.age AND t.village = 'x')",
    "EXISTS (SELECT 1 WHERE s.age > 3)",
    "(SELECT s.age) > 3",
    "(SELECT x FROM (VALUES (1), (2)) v(x) WHERE x < s.age) = 1",
    "(SELECT 1 UNION ALL SELECT s.age) = 1",
)
AROUND = (
    "SELECT 1 WHERE EXISTS (SELECT 1 FROM survey WHERE village = 'x')",
    "SELECT 1 WHERE 3 NOT IN (SELECT age FROM survey)",
    "SELECT (SELECT age FROM survey WHERE village = 'x')",
    "SELECT (SELECT count(*) FROM survey), (SELECT count(*) FROM survey)",
    "SELECT n FROM (SELECT count(*) AS n FROM survey) WHERE n > (SELECT 1)",
    "SELECT count(*) FROM survey, (SELECT 1)",
    "SELECT count(*) FROM survey s, LATERAL (SELECT s.age)",
    "SELECT count(*) FROM survey HAVING (SELECT 1) = 1",
    "SELECT province, count(*) FROM survey GROUP BY province ORDER BY (SELECT age FROM survey)",
    "SELECT count(*) FROM survey GROUP BY (SELECT 1)",
    "SELECT sum(age + (SELECT 1)) FROM survey",
    "SELECT count(*) FROM survey SEMI JOIN survey t USING (village)",
    "SELECT count(*) FROM survey LIMIT (SELECT count(*) FROM survey)",
)


@pytest.mark.parametrize("condition", WITHIN)
@pytest.mark.parametrize(
    "question",
    ["SELECT count(*) FROM survey s WHERE {}", "SELECT count(*) FILTER (WHERE {}) FROM survey s",
     "SELECT sum(CASE WHEN {} THEN 1 ELSE 0 END) FROM survey s"],
)  # fmt: skip
def test_no_condition_on_persons_holds_a_subquery(question: str, condition: str) -> None:
    _refused(question.format(condition))


@pytest.mark.parametrize("sql", AROUND)
def test_no_subquery_stands_beside_or_around_persons(sql: str) -> None:
    _refused(sql)


def _refused(sql: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        plan_query(sql, [SURVEY])
    assert refused.value.code in {
        "sql.private_query",
        "sql.private_shape",
        "sql.private_bounds",
        "sql.not_supported",
    }
