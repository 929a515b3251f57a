"""DuckDB in a jail that measures: opened while files can still be opened, then locked."""

from __future__ import annotations

import duckdb

from sandbox.worker.wire import Boot

_SHARE_OF_MEMORY = 0.85
_LOCK = """
SET allowed_directories = ['/fd/'];
SET enable_external_access = false;
SET enable_external_file_cache = false;
SET autoinstall_known_extensions = false;
SET autoload_known_extensions = false;
SET python_enable_replacements = false;
SET preserve_insertion_order = false;
"""
_opened: list[duckdb.DuckDBPyConnection] = []
_threads = [1]


def warm(boot: Boot) -> None:
    """Open it, and do once what loads something. A fork keeps only the calling thread: there is no other yet."""
    connection = open_engine()
    connection.execute(f"SET memory_limit = '{int(boot.memory_bytes * _SHARE_OF_MEMORY)} B'")
    connection.execute("SELECT count(*), ln(2), max(i, 2) FROM range(9) t(i) GROUP BY i % 2").fetchall()
    _threads[0] = boot.threads


def open_engine() -> duckdb.DuckDBPyConnection:
    """The one of this process."""
    if not _opened:
        _opened.append(duckdb.connect(":memory:", config={"threads": 1, "async_threads": 0, "temp_directory": ""}))
        _opened[0].execute(_LOCK)
    return _opened[0]


def ready_engine() -> duckdb.DuckDBPyConnection:
    """The same, with the threads that the jail allows: to be called once there is a job."""
    connection = open_engine()
    connection.execute(f"SET threads = {_threads[0]}")
    return connection
