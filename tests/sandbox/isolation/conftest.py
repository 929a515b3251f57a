"""One real pool for the tests of this folder, and files for it to read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import pytest

from sandbox.isolation.pool import Pool
from tests.attack.conftest import require_layers

MEMORY_BYTES = 512 * 1024 * 1024


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Pool]:
    """Two jails, two queries that may wait."""
    require_layers()
    opened = Pool(jails=2, threads=2, memory_bytes=MEMORY_BYTES, queue=2)
    await opened.start()
    await opened.fill()
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Parquet file with columns g (0…99) and v (0…9,999), one row each v."""
    path = tmp_path_factory.mktemp("parts") / "part.parquet"
    duckdb.sql(f"COPY (SELECT i % 100 AS g, i AS v FROM range(10000) t(i)) TO '{path}' (FORMAT parquet)")
    return path
