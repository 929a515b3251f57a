"""A table that is read anew by each query, in memory that does not grow with it."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from typing import Any, Final

import duckdb
import pyarrow as pa

from catalog.jailed.expected import TABLE, quoted
from catalog.quality.wire import CheckedColumn

_AT_OPENING: Final[dict[str, Any]] = {"threads": 1, "async_threads": 0, "temp_directory": ""}
_SETTINGS: Final = """
SET allowed_directories = ['/fd/'];
SET enable_external_access = false;
SET autoinstall_known_extensions = false;
SET autoload_known_extensions = false;
SET python_enable_replacements = false;
"""


def connect() -> duckdb.DuckDBPyConnection:
    """An engine with one thread; in the warm process, whose child inherits it."""
    return duckdb.connect(":memory:", config=_AT_OPENING)


def open_table(
    connection: duckdb.DuckDBPyConnection,
    inputs: Sequence[int],
    columns: Sequence[CheckedColumn],
    source: str,
    *,
    threads: int,
    memory_bytes: int,
) -> None:
    """Make the inputs `checked`, with these columns of these types. Raises duckdb.Error, pa.ArrowException."""
    connection.execute(_SETTINGS)
    connection.execute(f"SET threads = {threads}")
    connection.execute(f"SET memory_limit = '{memory_bytes * 4 // 5} B'")
    connection.execute("SET preserve_insertion_order = false")
    if source == "arrow":
        connection.register("given", _Stream(inputs[0]))
        given = "given"
    else:
        files = ", ".join(f"'/fd/{i}.parquet'" for i in range(len(inputs)))
        given = f"read_parquet([{files}])"
    casts = ", ".join(f"CAST({quoted(c.name)} AS {c.type}) AS {quoted(c.name)}" for c in columns)
    connection.execute(f"CREATE TEMP VIEW {TABLE} AS SELECT {casts} FROM {given}")


class _Pread(io.RawIOBase):
    """A descriptor read from the start, whoever else reads it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor, self.place = descriptor, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Some bytes into `buffer`."""
        body = os.pread(self.descriptor, len(buffer), self.place)
        buffer[: len(body)] = body
        self.place += len(body)
        return len(body)


class _Stream:
    """Gives the engine a new reader whenever it scans."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        reader = pa.ipc.open_stream(pa.PythonFile(io.BufferedReader(_Pread(self.descriptor), 1024 * 1024)))
        return reader.__arrow_c_stream__(requested_schema)
