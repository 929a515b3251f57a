from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tests.sandbox.disclosure.persons import TABLES, write_persons
from tests.sandbox.plan.asking import World
from tests.sandbox.plan.conftest import world

__all__ = ["persons", "world"]


@pytest.fixture(scope="session")
def persons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Person records in plain DuckDB, where the analyst's own text runs; cohort files for our plan."""
    with duckdb.connect() as connection:
        connection.execute("SET threads=1")
        sources = write_persons(connection, tmp_path_factory.mktemp("persons"))
        yield World(connection, TABLES, sources)
