"""The engine in the jail: DuckDB, opened once in the warm process, inherited by each child, used for one query."""

from __future__ import annotations

import io
import os
import warnings
from typing import BinaryIO

import duckdb
import msgspec
import pyarrow as pa

from sandbox.worker.opener import SAMPLE
from sandbox.worker.refusal import Refused
from sandbox.worker.wire import Boot, Query

_BATCH_ROWS = 8_192
# A fork keeps only the calling thread: the warm process must have no other.
_AT_OPENING: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    "async_threads": 0,
    "temp_directory": "",
}
# In this order: what may be read cannot be changed once nothing else may be.
_SETTINGS = """
SET allowed_directories = ['/fd/'];
SET enable_external_access = false;
SET enable_external_file_cache = false;
SET autoinstall_known_extensions = false;
SET autoload_known_extensions = false;
SET allow_community_extensions = false;
SET allow_persistent_secrets = false;
SET python_enable_replacements = false;
"""
_SAMPLE = f"""
COPY (SELECT 'v' || (i % 7) AS a, i AS b, i / 3 AS c FROM range(2000) t(i)) TO '{SAMPLE}'
(FORMAT parquet, COMPRESSION zstd)
"""
_QUESTION = f"""
SELECT CAST(a AS VARCHAR) AS a, CAST(count(*) AS BIGINT) AS n, CAST(avg(c) AS DOUBLE) AS m
FROM read_parquet(['{SAMPLE}']) WHERE b > 3 GROUP BY a ORDER BY n DESC, a
"""
_TOO_MANY_STEPS = "Invalid Input Error: recursion"
_Result = duckdb.DuckDBPyConnection | duckdb.DuckDBPyRelation | None
_connection: duckdb.DuckDBPyConnection


def warm(boot: Boot) -> int:
    """Open the engine and do everything once that a first query would have to wait for; gives the sample file."""
    global _connection  # noqa: PLW0603 (inherited over fork: there is nobody to hand it over)
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    _connection = duckdb.connect(":memory:", config=_AT_OPENING)
    _connection.execute(_SAMPLE)
    _connection.execute(_SETTINGS)
    _connection.execute(f"SET memory_limit = '{boot.memory_bytes * 4 // 5} B'")
    _exercise(_QUESTION)
    return os.open(SAMPLE, os.O_RDONLY | os.O_CLOEXEC)


def ready(boot: Boot) -> None:
    """In the locked child: what a query touches is then this process's own memory before a job waits for it."""
    _exercise(_QUESTION)


def _exercise(sql: str) -> None:
    _copy(_connection.execute(sql), pa.PythonFile(io.BytesIO(), mode="w"), max_rows=100)


def answer(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Run one query and write its answer as one Arrow IPC stream; raises Refused."""
    query = msgspec.msgpack.decode(payload, type=Query)
    if query.threads > 1:
        _connection.execute(f"SET threads = {query.threads}")
    if "TRY(" in query.sql:
        # What stands twice in it would be worked out once, outside of every TRY, and would raise there.
        _connection.execute("SET disabled_optimizers = 'common_subexpressions'")
    _connection.execute("SET lock_configuration = true")
    try:
        # A relation is bound twice, which costs a small query a third of its time, but streams: a large one must
        # not be computed to its end before its rows are found too many.
        begin = _connection.sql if query.threads > 1 else _connection.execute
        _copy(begin(query.sql), pa.PythonFile(output, mode="w"), max_rows=query.max_rows)
        output.flush()
    except (duckdb.OutOfMemoryException, MemoryError, pa.ArrowMemoryError):
        raise Refused("memory") from None
    except duckdb.InvalidInputException as error:
        # The whole text, and no function of ours raises it: no value of a cell can look like it.
        raise Refused("too_many_steps" if str(error) == _TOO_MANY_STEPS else "engine") from None
    except OSError:
        # The file has a fixed size, sealed by the broker.
        raise Refused("too_many_bytes") from None
    return b""


def _copy(result: _Result, sink: pa.NativeFile, *, max_rows: int) -> None:
    reader = result.to_arrow_reader(_BATCH_ROWS) if result is not None else None
    if reader is None:
        raise Refused("engine")
    rows = 0
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            rows += batch.num_rows
            if rows > max_rows:
                raise Refused("too_many_rows")
            writer.write_batch(batch)
