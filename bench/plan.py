"""Figures of understanding SQL: how long from text to rendered SQL, and how long when the same is asked again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

from sqlglot import parse_one

from bench.figure import figure
from sandbox.job import Column, TableSchema
from sandbox.plan.plan import forget, plan_query
from sandbox.plan.render import render

SMALL = """SELECT occupation, count(*) AS n, avg(age) AS mean_age FROM adult
WHERE sex = 'Male' AND hours > 40 GROUP BY occupation ORDER BY n DESC LIMIT 10"""
COHORTS = "SELECT tinh, count(*) AS n, avg(diem) AS mean, stddev(diem) AS spread FROM licences GROUP BY tinh"
LARGE = f"""WITH a AS (SELECT occupation, sex, count(*) AS n FROM adult GROUP BY ALL), b AS (
SELECT occupation, max(n) AS top FROM a GROUP BY occupation) SELECT a.occupation, a.sex, a.n,
rank() OVER (PARTITION BY a.sex ORDER BY a.n DESC) AS place
FROM a JOIN b ON a.occupation = b.occupation AND a.n = b.top
WHERE a.n IN ({", ".join(map(str, range(50)))})
AND (CASE WHEN a.n > 10 THEN 'many' ELSE 'few' END) LIKE 'm%' QUALIFY place <= 3 ORDER BY a.sex, place"""
TABLES = (
    TableSchema(name="adult", mode="rows", columns=tuple(
        Column(name=n, type=t) for n, t in [("age", "BIGINT"), ("sex", "VARCHAR"), ("occupation", "VARCHAR"),
                                            ("hours", "BIGINT")])),
    TableSchema(name="licences", mode="aggregate", columns=(
        Column(name="tinh", type="VARCHAR"), Column(name="diem", type="BIGINT", kind="measure"))),
)  # fmt: skip
SOURCES = {"adult": ["/fd/10.parquet"], "licences": ["/fd/11.parquet"]}
REPEATS = 200


def _milliseconds(work: Callable[[], object]) -> float:
    """Median time of one call."""
    for _ in range(20):
        work()
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return 1_000 * median(times)


def _fresh(sql: str) -> Callable[[], object]:
    def work() -> object:
        forget()
        return render(plan_query(sql, TABLES), SOURCES)

    return work


async def figures() -> list[dict[str, Any]]:
    """Text to rendered SQL, medians in milliseconds; the large one against sqlglot's parser alone."""
    again = _milliseconds(lambda: render(plan_query(SMALL, TABLES), SOURCES))
    parser = _milliseconds(lambda: parse_one(LARGE, read="duckdb"))
    return [
        figure("plan.small_query", _milliseconds(_fresh(SMALL)), "ms", n=REPEATS, goal=2.0),
        figure("plan.small_query_asked_again", again, "ms", n=REPEATS, goal=0.1),
        figure("plan.cohorts_query", _milliseconds(_fresh(COHORTS)), "ms", n=REPEATS, goal=2.0),
        figure("plan.large_query", _milliseconds(_fresh(LARGE)), "ms", n=REPEATS, goal=3.0, baseline=parser),
    ]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(figures()), indent=2))
