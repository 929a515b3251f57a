"""What a small governed query cannot do without, without us: a process of its own for each answer; and what any
service on the same libraries takes to import them. Run as a program, this measures one and prints milliseconds."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

FORKS: Final = 100
STARTS: Final = 3
LIBRARIES: Final = (
    "uvloop, psycopg, uvicorn, litestar, msgspec, sqlalchemy.ext.asyncio, sqlalchemy.orm, alembic, jinja2, "
    "cryptography.x509, pyarrow, sqlglot, wasmtime"
)


def bare_fork_ms(parts: Path, sql: str) -> float:
    """p50 of a fork of a warm DuckDB that answers `sql` over the Parquet files there and ends; no jail."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.floor", str(parts), sql], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def imports_s() -> float:
    """Median of a new interpreter that imports what the service stands on, none of ours."""
    times = []
    for _ in range(STARTS):
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", f"import {LIBRARIES}"], check=True)
        times.append(time.monotonic() - began)
    return statistics.median(times)


def _forks(parts: str, sql: str) -> float:
    import duckdb

    con = duckdb.connect(config={"threads": 1, "async_threads": 0})
    con.execute(f"create view adult as select * from read_parquet('{parts}/*.parquet')")
    con.execute(sql).fetchall()
    times = []
    for _ in range(FORKS):
        began = time.perf_counter()
        if (pid := os.fork()) == 0:
            con.execute(sql).fetchall()
            os._exit(0)
        os.waitpid(pid, 0)
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


if __name__ == "__main__":
    print(_forks(*sys.argv[1:]))
