"""DuckDB as Great Expectations needs it, by way of SQLAlchemy: rows fetched before its connection is closed, the
name by which it picks its forms of LIKE and regular expressions, and DuckDB's own function for the latter."""

from __future__ import annotations

from typing import Any

import duckdb
from duckdb_sqlalchemy import (
    ConnectionWrapper,
    Dialect,
    DuckDBCompiler,
    DuckDBExecutionContext,
)
from sqlalchemy import Engine, create_engine, pool
from sqlalchemy.dialects import registry
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy


class _Context(DuckDBExecutionContext):  # type: ignore[misc]
    def post_exec(self) -> None:
        """Take all rows while there is a connection to take them from."""
        super().post_exec()
        if self.cursor is not None and self.cursor.description:
            rows = self.cursor.fetchall()
            self.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(self.cursor, initial_buffer=rows)


class _Compiler(DuckDBCompiler):  # type: ignore[misc]
    def visit_custom_op_binary(self, binary: Any, operator: Any, **options: Any) -> str:
        """`~` as the function that searches."""
        if operator.opstring == "~":
            text, pattern = self.process(binary.left, **options), self.process(binary.right, **options)
            return f"regexp_matches({text}, {pattern})"
        written: str = super().visit_custom_op_binary(binary, operator, **options)
        return written


class _Kept(ConnectionWrapper):  # type: ignore[misc]
    def close(self) -> None:
        """The connection is not Great Expectations' to close."""


class CheckedDialect(Dialect):  # type: ignore[misc]
    """Over a connection that is already open."""

    name = "postgresql"
    execution_ctx_cls = _Context
    statement_compiler = _Compiler
    supports_statement_cache = True

    def initialize(self, connection: Any) -> None:
        """Ask the engine nothing: what it would answer is known."""


registry.register("checked.duckdb", __name__, "CheckedDialect")


def engine_on(connection: duckdb.DuckDBPyConnection) -> Engine:
    """SQLAlchemy's engine over this one connection."""
    # Where reserved words are asked for; else it opens an engine of its own, with a thread a processor.
    duckdb.set_default_connection(connection)
    return create_engine(
        "checked+duckdb:///:memory:", creator=lambda: _Kept(connection), poolclass=pool.StaticPool
    )
