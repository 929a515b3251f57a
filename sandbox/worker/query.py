"""The engine in the jail: DuckDB, opened once in the warm process, inherited by each child, used for one query."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import _duckdb
import duckdb
import msgspec
import pyarrow as pa

from sandbox.worker import large
from sandbox.worker.opener import SAMPLE
from sandbox.worker.refusal import Refused
from sandbox.worker.wire import BATCH_ROWS, Boot, Query

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
REHEARSAL = msgspec.msgpack.encode(Query(sql=_QUESTION, max_rows=100, threads=1))
_LOCK = "SET lock_configuration = true"
_TOO_MANY_STEPS = "Invalid Input Error: recursion"
_Result = duckdb.DuckDBPyConnection | duckdb.DuckDBPyRelation | None
_connection: duckdb.DuckDBPyConnection
"""Locked before there is a job: to lock it then would cost a small query a twentieth of its time."""
_adjustable: duckdb.DuckDBPyConnection
"""For the few that ask for settings of their own; locked once they have them."""


def warm(boot: Boot) -> int:
    """Open the engine and do everything once that a first query would have to wait for; gives the sample file."""
    global _connection, _adjustable  # noqa: PLW0603 (inherited over fork: there is nobody to hand it over)
    warnings.filterwarnings("ignore", message="Arrow output on a DB-API result")
    if boot.large_pages and not boot.single:
        large.enlarge(_duckdb)
    with duckdb.connect(":memory:", config=_AT_OPENING) as writer:
        writer.execute(_SAMPLE)
    _adjustable = _opened(boot)
    _exercise(_adjustable)
    _connection = _opened(boot)
    _connection.execute(_LOCK)
    _exercise(_connection)
    return os.open(SAMPLE, os.O_RDONLY | os.O_CLOEXEC)


def _opened(boot: Boot) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:", config=_AT_OPENING)
    connection.execute(_SETTINGS)
    connection.execute(f"SET memory_limit = '{boot.memory_bytes * 4 // 5} B'")
    return connection


def _exercise(connection: duckdb.DuckDBPyConnection) -> None:
    _copy(connection.execute(_QUESTION), pa.PythonFile(io.BytesIO(), mode="w"), max_rows=100)


def answer(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Run one query and write its answer as one Arrow IPC stream; raises Refused."""
    query = msgspec.msgpack.decode(payload, type=Query)
    connection = _for(query)
    try:
        # A relation is bound twice, which costs a small query a third of its time, but streams: a large one must
        # not be computed to its end before its rows are found too many.
        begin = connection.sql if query.threads > 1 else connection.execute
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


def _for(query: Query) -> duckdb.DuckDBPyConnection:
    if query.threads == 1:
        return _connection
    for setting in (f"SET threads = {query.threads}", _LOCK):
        _adjustable.execute(setting)
    return _adjustable


def _copy(result: _Result, sink: pa.NativeFile, *, max_rows: int) -> None:
    reader = result.to_arrow_reader(BATCH_ROWS) if result is not None else None
    if reader is None:
        raise Refused("engine")
    rows = 0
    with pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in _full(reader):
            rows += batch.num_rows
            if rows > max_rows:
                raise Refused("too_many_rows")
            writer.write_batch(batch)


def _full(reader: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches of BATCH_ROWS and more, but the last: each of the engine's threads may give a row at a time."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in reader:
        held.append(batch)
        rows += batch.num_rows
        if rows >= BATCH_ROWS:
            yield _one(held)
            held, rows = [], 0
    if held:
        yield _one(held)


def _one(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return batches[0] if len(batches) == 1 else pa.concat_batches(batches)
