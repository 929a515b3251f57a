"""Run in an environment of its own: tables, questions of TPC-H or TPC-DS, as DuckDB's extension makes them.

`python tpc_data.py tpch FOLDER` writes a Parquet file a table, and questions.json: number → text. The extension is
no part of the engine that we ship, so it comes as a wheel beside a DuckDB of its own version.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import duckdb

SCALE = 0.01
MADE_BY = {"tpch": "dbgen", "tpcds": "dsdgen"}


def main(name: str, folder: Path) -> None:
    """Write them."""
    package = importlib.import_module(f"duckdb_extension_{name}")
    (extension,) = Path(str(package.__file__)).parent.rglob("*.duckdb_extension")
    with duckdb.connect() as connection:
        connection.load_extension(str(extension))
        connection.execute(f"CALL {MADE_BY[name]}(sf={SCALE})")
        for (table,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            connection.execute(f"COPY {table} TO '{folder / table}.parquet' (FORMAT parquet)")
        questions = connection.execute(f"SELECT query_nr, query FROM {name}_queries()").fetchall()
    (folder / "questions.json").write_text(json.dumps(dict(questions)), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
