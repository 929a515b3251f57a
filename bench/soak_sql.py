"""Part of `make soak`: SOAK_QUERIES generated questions, each answered as plain DuckDB answers it."""

from __future__ import annotations

import os
import random
import tempfile
import time
from pathlib import Path

import duckdb

from tests.sandbox.plan.asking import World
from tests.sandbox.plan.comparing import Counted, compare
from tests.sandbox.plan.generated import Questions
from tests.sandbox.plan.world import TABLES, write_world

QUERIES = int(os.environ.get("SOAK_QUERIES", "5000"))
SEED = int(os.environ.get("SOAK_SEED", str(time.time_ns() % 1_000_000)))


def main() -> int:
    """0 when all were alike, 1 at the first that was not."""
    print(f"soak of SQL: {QUERIES} questions, SOAK_SEED={SEED}", flush=True)
    counted = Counted()
    with tempfile.TemporaryDirectory(prefix="sdl-sql-") as folder, duckdb.connect() as connection:
        connection.execute("SET threads=1")
        sources = write_world(Path(folder))
        for name, paths in sources.items():
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({paths})")
        world = World(connection, TABLES, sources)
        for number in range(QUERIES):
            try:
                compare(world, counted, Questions(random.Random(SEED + number)).question())
            except AssertionError as differs:
                print(f"differs (SOAK_SEED={SEED + number}): {differs}", flush=True)
                return 1
    print(f"soak of SQL: {counted}", flush=True)
    return 0
