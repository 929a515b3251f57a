from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.sandbox.plan.asking import World
from tests.sandbox.plan.world import TABLES, write_world


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Both tables as files, and as views in a plain DuckDB that runs the analyst's own text."""
    sources = write_world(tmp_path_factory.mktemp("world"))
    with duckdb.connect() as connection:
        connection.execute("SET threads=1")
        for name, paths in sources.items():
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({paths})")
        yield World(connection, TABLES, sources)
