"""Persons, and the cohort file that publication would make of them (nothing suppressed)."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sandbox.job import Column, TableSchema

DIMENSIONS = {"tinh": "VARCHAR", "hang": "VARCHAR", "nam": "BIGINT", "cap": "DATE", "moi": "BOOLEAN"}
MEASURES = {"diem": "BIGINT", "phat": "DOUBLE", "gio": "DOUBLE"}
PAIRS = (("diem", "gio"),)
LICENCES = TableSchema(
    name="licences",
    mode="aggregate",
    columns=(
        *(Column(name=n, type=t) for n, t in DIMENSIONS.items()),
        *(Column(name=n, type=t, kind="measure") for n, t in MEASURES.items()),
    ),
    pairs=PAIRS,
    tells_level=True,
)
PLACES = TableSchema(
    name="places", mode="rows", columns=(Column(name="tinh", type="VARCHAR"), Column(name="dan", type="BIGINT"))
)
TABLES = (LICENCES, PLACES)

_PERSONS = """
SELECT
  ['Hà Nội', 'Huế', 'Cần Thơ', NULL][i % 4 + 1] AS tinh, ['A', 'B', 'C'][i // 4 % 3 + 1] AS hang,
  (1990 + i // 12 % 3)::BIGINT AS nam, DATE '2020-01-01' + (i // 12 % 2)::INTEGER AS cap, i // 12 % 5 = 0 AS moi,
  (CASE WHEN i % 7 = 0 THEN NULL ELSE i * 31 % 13 END)::BIGINT AS diem,
  CASE WHEN i // 4 % 3 = 2 THEN NULL ELSE (i * 17 % 101) / 8.0e0 END AS phat,
  CASE WHEN i % 7 = 0 THEN NULL ELSE (i * 31 % 13) * 1.5e0 + i % 11 END AS gio,
  CASE WHEN i % 4 = 3 THEN 'fallback' ELSE 'fine' END AS cohort_level
FROM range(1200) t(i)
"""


def write_persons(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, list[str]]:
    """Makes `licences` (persons) and `places` in the connection, and their files: cohorts in three parts."""
    connection.execute(f"CREATE TABLE licences AS {_PERSONS}")
    connection.execute(
        "CREATE TABLE places AS SELECT * FROM (VALUES ('Hà Nội', 8::BIGINT), ('Huế', 1)) t(tinh, dan)"
    )
    keys = ", ".join([*DIMENSIONS, "cohort_level"])
    cohorts = f"""
        SELECT {keys}, count(*) AS n,
        {
        ", ".join(
            f"count({m}) AS {m}__count, sum({m})::DOUBLE AS {m}__sum, sum({m}::DOUBLE * {m})::DOUBLE AS {m}__sumsq"
            for m in MEASURES
        )
    }, {", ".join(f"sum({a}::DOUBLE * {b})::DOUBLE AS {a}__{b}__sumxy" for a, b in PAIRS)}
        FROM (SELECT *, row_number() OVER (PARTITION BY {keys}) // 7 AS cohort FROM licences)
        GROUP BY {keys}, cohort"""
    parts = [str(folder / f"cohorts-{part}.parquet") for part in range(3)]
    for part, path in enumerate(parts):
        connection.execute(f"COPY (SELECT * FROM ({cohorts}) WHERE n % 3 = {part}) TO '{path}'")
    places = str(folder / "places.parquet")
    connection.execute(f"COPY places TO '{places}'")
    return {"licences": parts, "places": [places]}
