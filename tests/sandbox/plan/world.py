"""The tables that the tests of the plan ask, as schemas and as real Parquet files."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sandbox.job import Column, TableSchema

TYPES = {
    "age": "BIGINT", "sex": "VARCHAR", "hours": "BIGINT", "pay": "DOUBLE", "born": "DATE", "seen": "TIMESTAMP",
    "ok": "BOOLEAN", "cost": "DECIMAL(10,2)", "big": "DECIMAL(38,0)", "note": "VARCHAR",
}  # fmt: skip
PEOPLE = TableSchema(name="people", mode="rows", columns=tuple(Column(name=n, type=t) for n, t in TYPES.items()))
SHOPS = TableSchema(
    name="shops",
    mode="rows",
    columns=(Column(name="sex", type="VARCHAR"), Column(name="Tên cửa hàng", type="VARCHAR"),
             Column(name="rank", type="BIGINT")),
)  # fmt: skip
TABLES = (PEOPLE, SHOPS)

_PEOPLE = """
SELECT (i * 7 % 60)::BIGINT AS age,
  CASE WHEN i % 11 = 0 THEN NULL WHEN i % 3 = 0 THEN 'Male' ELSE 'Female' END AS sex,
  (CASE WHEN i % 7 = 0 THEN NULL ELSE i % 40 END)::BIGINT AS hours,
  (i * 13 % 101) / 4.0e0 AS pay,
  DATE '2019-11-01' + (i * 5)::INTEGER AS born,
  TIMESTAMP '2020-01-01 10:30:00' + to_hours(i * 7) AS seen,
  i % 2 = 0 AS ok,
  (i % 50 / 4)::DECIMAL(10,2) AS "cost",
  (i * 1000)::DECIMAL(38,0) AS big,
  'n' || (i % 5) || '_é''"' AS note
FROM range(1, 181) t(i)
"""
_SHOPS = """
SELECT * FROM (VALUES ('Male', 'Hồ Gươm', 1::BIGINT), ('Female', 'Bến Thành', 2), (NULL, 'Đà Lạt', 3),
  ('None', 'Huế', NULL)) t(sex, "Tên cửa hàng", "rank")
"""


def write_world(folder: Path) -> dict[str, list[str]]:
    """Writes both tables, people in two parts; gives the files of each."""
    with duckdb.connect() as connection:
        people = [str(folder / "people-0.parquet"), str(folder / "people-1.parquet")]
        for part, path in enumerate(people):
            connection.execute(f"COPY (SELECT * FROM ({_PEOPLE}) WHERE (age < 30) = ({part} = 0)) TO '{path}'")
        shops = str(folder / "shops.parquet")
        connection.execute(f"COPY ({_SHOPS}) TO '{shops}'")
    return {"people": people, "shops": [shops]}
