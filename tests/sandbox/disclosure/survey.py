"""A table in dp mode, questions over it, and what plain DuckDB finds in some rows of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from sandbox.disclosure.dp import Release
from sandbox.job import Bounds, Column, TableSchema
from sandbox.plan.plan import Plan, plan_query
from sandbox.plan.render import render

SURVEY = TableSchema(
    name="survey",
    mode="dp",
    columns=(
        Column(name="province", type="VARCHAR", values=("Huế", "Hà Nội")),
        Column(name="village", type="VARCHAR"),
        Column(name="age", type="BIGINT", bounds=Bounds(lower=-5, upper=100)),
        Column(name="income", type="DOUBLE", bounds=Bounds(lower=10, upper=50, step=0.5)),
        Column(name="insured", type="BOOLEAN"),
        Column(name="visited", type="DATE"),
    ),
)
OWN = TableSchema(
    name="places", mode="rows", columns=(Column(name="code", type="VARCHAR"), Column(name="size", type="BIGINT"))
)
"""A startup's own table beside it."""
SCHEMA = pa.schema([
    ("province", pa.string()), ("village", pa.string()), ("age", pa.int64()), ("income", pa.float64()),
    ("insured", pa.bool_()), ("visited", pa.date32()),
])  # fmt: skip


def over_texts(count: int) -> str:
    """A condition with so many different calls over a text, each written twice."""
    calls = [f"substring(village, {i}) = 'x'" for i in range(1, count + 1)]
    return " OR ".join(calls + calls)


ACCEPTED = (
    f"SELECT count(*) FROM survey WHERE {over_texts(32)}",
    "SELECT count(*) FROM survey",
    "SELECT province, count(*) AS n, avg(age), sum(income), stddev(income) FROM survey GROUP BY 1 ORDER BY n",
    "SELECT village, insured, count(income), median(age) FROM survey WHERE visited >= '2025-03-01' GROUP BY ALL",
    "SELECT count(*) FILTER (WHERE CAST(village AS BIGINT) + 9223372036854775807 > 0) FROM survey",
    "SELECT sum(age) FROM survey WHERE age * age * 4611686018427387904 > 0 OR 100 % age = 1 OR NOT insured",
    "SELECT CAST(floor(income / 10) AS BIGINT) AS band, count(*) FROM survey GROUP BY band",
    "SELECT date_trunc('month', visited), var_pop(age), quantile_cont(income, 0.9) FROM survey GROUP BY 1",
    "SELECT substr(village, age, age) AS v, count(*) FROM survey GROUP BY v",
    "SELECT make_date(age, age, age) AS d, count(*) FROM survey GROUP BY d",
    "SELECT CASE WHEN CAST(village AS DATE) > visited THEN sqrt(age) > 2 END, sum(age) FROM survey GROUP BY 1",
    "SELECT median(age), count(*) FILTER (WHERE insured), avg(age) FROM survey",
    "SELECT count(*) FROM survey WHERE visited + INTERVAL 9 MONTH < visited",
    f"SELECT {', '.join(f'count(age + {i})' for i in range(30))} FROM survey",
    f"SELECT count(*) FROM survey WHERE {' + '.join(['age'] * 60)} > 0",
    f"SELECT count(*) FROM survey WHERE visited{' + INTERVAL 1 DAY' * 6} > visited",
    "SELECT count(*) FROM survey WHERE village LIKE 'Huế!%' ESCAPE '!' OR village LIKE 'a!!' ESCAPE '!'",
    "SELECT round(CAST(age AS DECIMAL(2,0)), -1) AS r, count(*) FROM survey GROUP BY r",
    f"SELECT count(*) FROM survey WHERE {' + '.join(['age'] * 23)} > 0",
    "SELECT count_if(insured), countif(age > 30) FILTER (WHERE insured) FROM survey",
)
REFUSED = (
    ("SELECT * FROM survey", "sql.private_shape", "*"),
    ("SELECT province FROM survey GROUP BY province", "sql.private_shape", "province"),
    ("SELECT DISTINCT province FROM survey", "sql.private_shape", "province"),
    ("SELECT province, count(*) FROM survey GROUP BY ROLLUP (province)", "sql.private_shape", "province"),
    ("SELECT province, count(*) FROM survey GROUP BY province HAVING count(*) > 3", "sql.private_shape", "count"),
    ("SELECT sum(age) / count(*) FROM survey", "sql.private_shape", "sum"),
    ("SELECT count(*) FROM survey a JOIN survey b ON a.age = b.age", "sql.private_shape", ""),
    ("SELECT count(*) FROM (SELECT age FROM survey) s", "sql.private_shape", ""),
    ("WITH s AS (SELECT age FROM survey) SELECT count(*) FROM s", "sql.private_shape", ""),
    ("SELECT count(*) FROM survey UNION SELECT count(*) FROM survey", "sql.private_shape", ""),
    ("SELECT (SELECT count(*) FROM survey)", "sql.private_shape", ""),
    (
        "SELECT province, count(*) FROM survey GROUP BY province ORDER BY count(*) + 1",
        "sql.private_shape",
        "count",
    ),
    ("SELECT count(*) OVER () FROM survey", "sql.private_shape", "count"),
    ("SELECT max(age) FROM survey", "sql.private_aggregate", "max"),
    ("SELECT string_agg(village, ',') FROM survey", "sql.private_aggregate", "string_agg"),
    ("SELECT first(village ORDER BY age) FROM survey", "sql.private_aggregate", "first"),
    ("SELECT count(DISTINCT village) FROM survey", "sql.private_aggregate", "count"),
    ("SELECT sum(length(village)) FROM survey", "sql.private_bounds", "length"),
    ("SELECT avg(CAST(income AS BIGINT)) FROM survey", "sql.private_bounds", "income"),
    ("SELECT sum(CAST(age AS DECIMAL(2,0))) FROM survey", "sql.private_bounds", "age"),
    ("SELECT median(CAST(CAST(income AS BIGINT) AS DOUBLE)) FROM survey", "sql.private_bounds", "income"),
    ("SELECT avg(TRY_CAST(age AS INTEGER)) FROM survey", "sql.private_bounds", "age"),
    ("SELECT avg(age * 1000) FROM survey", "sql.private_bounds", "age"),
    ("SELECT count(*) FROM survey WHERE rpad(village, 1000000000, 'x') = 'a'", "sql.private_function", "rpad"),
    ("SELECT count(*) FROM survey WHERE len([age]) = 1", "sql.private_function", "len"),
    ("SELECT income, count(*) FROM survey GROUP BY income", "sql.private_key", "income"),
    ("SELECT count(*) FROM survey WHERE age IN (SELECT age FROM survey)", "sql.private_query", "age"),
    ("SELECT count(*) FROM survey WHERE EXISTS (SELECT 1)", "sql.private_query", ""),
    ("SELECT concat(village, 'x') AS v, count(*) FROM survey GROUP BY v", "sql.private_function", "concat"),
    ("SELECT village || village AS v, count(*) FROM survey GROUP BY v", "sql.private_function", "village"),
    (f"SELECT count(*) FROM survey WHERE village = '{'x' * 201}'", "sql.private_text", "village"),
    (f"SELECT count(*) FROM survey WHERE {over_texts(33)}", "sql.private_work", "substring"),
    (
        f"SELECT count(*) FROM survey WHERE CASE WHEN insured THEN '{'x' * 201}' END = 'a'",
        "sql.private_text",
        "insured",
    ),
    ("SELECT count(*) FROM survey WHERE village LIKE 'Huế!' ESCAPE '!'", "sql.private_function", "village"),
    ("SELECT count(*) FROM survey WHERE village NOT ILIKE '%a!!!' ESCAPE '!'", "sql.private_function", "village"),
    ("SELECT count(*) FROM survey WHERE village LIKE province ESCAPE '!'", "sql.private_function", "village"),
    ("SELECT count(*) FROM survey WHERE CAST(age AS HUGEINT) + 1 > 0", "sql.private_function", "age"),
    ("SELECT count(*) FROM survey WHERE CAST(age AS DECIMAL(38,0)) * 10 > 0", "sql.private_function", "age"),
    (
        "SELECT round(CAST(age AS DECIMAL(38,0)), -1) AS r, count(*) FROM survey GROUP BY r",
        "sql.private_function",
        "round",
    ),
    (
        f"SELECT count(*) FROM survey WHERE visited{' + INTERVAL 1 DAY' * 16} > visited",
        "sql.too_many_terms",
        "visited",
    ),
)


def planned(sql: str) -> tuple[Plan, Release]:
    plan = plan_query(sql, [SURVEY])
    assert plan.release is not None
    return plan, plan.release


def exact(connection: duckdb.DuckDBPyConnection, sql: str, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """What an honest jail says: our SQL over these rows."""
    plan, release = planned(sql)
    survey = pa.Table.from_pylist([dict(zip(SCHEMA.names, row, strict=True)) for row in rows], SCHEMA)
    connection.register("survey_rows", survey)
    written = render(dataclasses.replace(plan, output=release.measured), {"survey": ["x"]})
    return connection.sql(written.replace("read_parquet(['x'])", "survey_rows")).arrow().read_all()


def stream_of(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data
