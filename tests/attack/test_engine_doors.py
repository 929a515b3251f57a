"""DuckDB's own doors, tried as SQL in the real child, behind the parser that would refuse them all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sandbox.isolation.pool import Pool, source_path
from sandbox.job import Limits, OutputColumn, SandboxFailed
from tests.attack.conftest import require_layers

DOORS = {
    "copy_to_a_file": "COPY (SELECT 1) TO '/fd/out.parquet'",
    "copy_over_its_own_file": "COPY (SELECT 1 AS a) TO '/fd/0.parquet' (FORMAT parquet)",
    "copy_from_a_file": "CREATE TABLE t(a VARCHAR); COPY t FROM '/etc/passwd'",
    "attach": "ATTACH '/fd/out.db'",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "load_a_library": "LOAD '/lib/libc.so.6'",
    "csv_of_the_host": "SELECT * FROM read_csv('/etc/passwd')",
    "text_of_the_host": "SELECT * FROM read_text('/etc/passwd')",
    "blob_of_the_runtime": "SELECT * FROM read_blob('/py/bin/python3.11')",
    "text_by_way_of_its_folder": "SELECT * FROM read_text('/fd/../etc/passwd')",
    "file_as_a_table": "SELECT * FROM '/etc/passwd'",
    "another_jobs_file": f"SELECT * FROM read_parquet('{source_path(1)}')",
    "list_the_root": "SELECT * FROM glob('/*')",
    "list_everything_below": "SELECT * FROM glob('/py/**')",
    "web": "SELECT * FROM read_csv('https://example.org/x.csv')",
    "object_store": "SELECT * FROM read_parquet('s3://bucket/x.parquet')",
    "environment": "SELECT getenv('PATH')",
    "unlock": "SET lock_configuration = false",
    "open_up": "SET enable_external_access = true",
    "more_folders": "SET allowed_directories = ['/']",
    "more_memory": "SET memory_limit = '100 GB'",
    "more_threads": "PRAGMA threads = 64",
    "reset": "RESET memory_limit",
    "secret": "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "export": "EXPORT DATABASE '/fd/export'",
    "import": "IMPORT DATABASE '/py'",
    "python_variable": "SELECT * FROM payload",
    "log_to_a_file": "CALL enable_logging(storage = 'file', storage_path = '/fd')",
}


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[Pool]:
    require_layers()
    pool = Pool(jails=1, threads=2, memory_bytes=256 << 20, queue=4)
    await pool.start()
    yield pool
    await pool.close()


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("version") / "part.parquet"
    duckdb.sql(f"COPY (SELECT 42 AS a) TO '{path}' (FORMAT parquet)")
    return path


@pytest.mark.parametrize("door", DOORS)
async def test_a_door_of_the_engine_is_shut(door: str, engine: Pool, part: Path) -> None:
    with pytest.raises(SandboxFailed) as caught:
        await engine.execute(DOORS[door], [part], (OutputColumn(name="a", type="INTEGER"),), Limits())
    assert caught.value.code == "sandbox.engine_refused"
    assert caught.value.params == {}


async def test_the_one_door_that_is_open(engine: Pool, part: Path) -> None:
    sql = f"SELECT a FROM read_parquet('{source_path(0)}')"
    result = await engine.execute(sql, [part], (OutputColumn(name="a", type="INTEGER"),), Limits())
    assert pa.ipc.open_stream(result.stream).read_all().to_pylist() == [{"a": 42}]
