"""DuckDB's own doors, tried as SQL in the real child, behind the parser that would refuse them all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sandbox.isolation.pool import Pool, source_path
from sandbox.job import Column, Limits, OutputColumn, SandboxFailed, TableSchema
from sandbox.plan.errors import SqlRefused
from sandbox.plan.plan import plan_query
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
    "json_of_the_host": "SELECT * FROM read_json('/etc/passwd')",
    "objects_of_the_host": "SELECT * FROM read_json_objects('/etc/passwd')",
    "guess_a_file": "SELECT * FROM sniff_csv('/etc/passwd')",
    "metadata_of_another": "SELECT * FROM parquet_metadata('/fd/1.parquet')",
    "schema_of_another": "SELECT * FROM parquet_schema('/fd/1.parquet')",
    "by_a_file_url": "SELECT * FROM read_text('file:///etc/passwd')",
    "by_a_pattern": "SELECT * FROM read_text('/etc/pass*')",
    "by_hive_parts": "SELECT * FROM read_parquet('/fd/*/*.parquet', hive_partitioning = true)",
    "process_memory": "SELECT * FROM read_blob('/proc/self/mem')",
    "process_environment": "SELECT * FROM read_text('/proc/self/environ')",
    "standard_input": "SELECT * FROM read_csv('/dev/stdin')",
    "copy_by_parts": "COPY (SELECT 1 AS a, 2 AS b) TO '/fd/parts' (FORMAT parquet, PARTITION_BY (a))",
    "copy_a_database": "ATTACH ':memory:' AS other; COPY FROM DATABASE memory TO other; ATTACH '/fd/x.db' AS x",
    "use_another": "ATTACH '/py/bin' AS other (READ_ONLY); USE other",
    "community": "INSTALL h3 FROM community",
    "load_its_own_file": "LOAD '/fd/0.parquet'",
    "spill": "SET temp_directory = '/fd'",
    "profile_to_a_file": "PRAGMA enable_profiling = 'json'; SET profiling_output = '/fd/p.json'; SELECT 1",
    "key_of_a_file": "PRAGMA add_parquet_key('key', '0123456789112345'); COPY (SELECT 1) TO '/fd/o'",
    "sql_in_json": "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT * FROM glob(''/*'')'))",
    "sql_in_text": "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "table_by_name": "SELECT * FROM query_table('/etc/passwd')",
    "home": "SET home_directory = '/'; SELECT * FROM read_text('~/etc/passwd')",
    "secrets_at_rest": "SET secret_directory = '/fd'; CREATE PERSISTENT SECRET s (TYPE http)",
    "proxy": "SET http_proxy = 'http://example.org'; SELECT * FROM 'http://example.org/x.csv'",
}
INSIDE = {
    "settings": "SELECT value FROM duckdb_settings()",
    "functions": "SELECT function_name FROM duckdb_functions()",
    "secrets": "SELECT * FROM duckdb_secrets()",
    "memory": "SELECT * FROM duckdb_memory()",
    "temporary_files": "SELECT * FROM duckdb_temporary_files()",
    "own_file_as_metadata": "SELECT * FROM parquet_kv_metadata('/fd/0.parquet')",
    "explain": "EXPLAIN SELECT a FROM part",
    "explain_analyze": "EXPLAIN ANALYZE SELECT a FROM part",
    "summarize": "SUMMARIZE part",
    "describe": "DESCRIBE part",
    "show": "SHOW TABLES",
    "pragma": "PRAGMA database_size",
    "call": "CALL pragma_version()",
    "macro": "CREATE MACRO m() AS 1",
    "table": "CREATE TABLE t AS SELECT a FROM part",
    "view": "CREATE VIEW v AS SELECT a FROM part",
    "insert": "INSERT INTO part VALUES (1)",
    "update": "UPDATE part SET a = 1",
    "delete": "DELETE FROM part",
    "drop": "DROP TABLE part",
    "merge": "MERGE INTO part USING part AS p ON true WHEN MATCHED THEN DELETE",
    "prepare": "PREPARE p AS SELECT 1",
    "execute": "EXECUTE p",
    "variable": "SET VARIABLE v = (SELECT a FROM part)",
    "get_a_variable": "SELECT getvariable('v')",
    "transaction": "BEGIN",
    "checkpoint": "CHECKPOINT",
    "sequence": "SELECT nextval('s')",
    "two": "SELECT a FROM part; SELECT a FROM part",
    "random": "SELECT random()",
    "seed": "SELECT setseed(0.5)",
    "identifier": "SELECT uuid()",
    "sample": "SELECT a FROM part USING SAMPLE 1",
    "table_sample": "SELECT a FROM part TABLESAMPLE 10%",
    "clock": "SELECT now()",
    "clock_without_parentheses": "SELECT current_timestamp",
    "version": "SELECT version()",
    "who": "SELECT current_user",
    "database": "SELECT current_database()",
    "setting": "SELECT current_setting('threads')",
    "row_number_of_the_file": "SELECT file_row_number FROM part",
    "row_id": "SELECT rowid FROM part",
    "name_of_the_file": "SELECT filename FROM part",
    "error_with_a_cell": "SELECT error(a::VARCHAR) FROM part",
    "hash_with_order": "SELECT first(a) FROM part",
    "catalogue": "SELECT * FROM information_schema.tables",
    "system_tables": "SELECT * FROM pg_catalog.pg_class",
    "qualified": "SELECT * FROM system.main.duckdb_tables()",
    "columns_by_pattern": "SELECT COLUMNS('.*') FROM part",
    "lambda_over_files": "SELECT list_transform(['/etc/passwd'], x -> read_text(x))",
    "pivot": "PIVOT part ON a",
    "positional": "SELECT * FROM part POSITIONAL JOIN part AS q",
    "copy_inside": "WITH x AS (COPY part TO '/fd/x') SELECT 1",
    "insert_inside": "WITH x AS (INSERT INTO part VALUES (1) RETURNING a) SELECT * FROM x",
    "stacked_by_comment": "SELECT 1 --\n; DROP TABLE part",
    "nested_comment": "SELECT 1 /* */ ; DROP TABLE part /* */",
    "full_width": "SELECT * FROM ｒｅａｄ＿ｔｅｘｔ('/etc/passwd')",
    "no_break_space": "SELECT\u00a0* FROM\u00a0read_text('/etc/passwd')",
    "right_to_left": "SELECT a FROM part WHERE a = 1 \u202e; DROP TABLE part",
    "nul": "SELECT a FROM part\x00; DROP TABLE part",
}
"""What tells of the engine, throws dice, has another effect, or hides a word: only the parser stands before it."""
PART = TableSchema(name="part", mode="rows", columns=(Column(name="a", type="BIGINT"),))


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


ADJUSTED = ("unlock", "open_up", "more_folders", "more_memory", "more_threads", "reset", "spill")


@pytest.mark.parametrize(
    ("door", "limits"),
    [*((door, Limits(threads=1)) for door in DOORS), *((door, Limits(threads=2)) for door in ADJUSTED)],
)
async def test_a_door_of_the_engine_is_shut(door: str, limits: Limits, engine: Pool, part: Path) -> None:
    """Of the engine that is locked ahead, and of the one that a job with more threads adjusts before."""
    with pytest.raises(SandboxFailed) as caught:
        await engine.execute(DOORS[door], [part], (OutputColumn(name="a", type="INTEGER"),), limits)
    assert caught.value.code == "sandbox.engine_refused"
    assert caught.value.params == {}


@pytest.mark.parametrize("door", [*DOORS, *INSIDE])
def test_the_parser_lets_no_such_question_through(door: str) -> None:
    with pytest.raises(SqlRefused) as refused:
        plan_query((DOORS | INSIDE)[door], [PART])
    assert refused.value.code.startswith("sql.")


def test_a_question_without_a_door_is_let_through() -> None:
    """Else the test above could not fail."""
    assert plan_query("SELECT a, count(*) FROM part GROUP BY a ORDER BY a", [PART]).output


async def test_the_one_door_that_is_open(engine: Pool, part: Path) -> None:
    sql = f"SELECT a FROM read_parquet('{source_path(0)}')"
    result = await engine.execute(sql, [part], (OutputColumn(name="a", type="INTEGER"),), Limits())
    assert pa.ipc.open_stream(result.stream).read_all().to_pylist() == [{"a": 42}]
