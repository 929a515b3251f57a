"""A table or query of an owner's PostgreSQL as CSV, in one read-only transaction, by an account that may read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import sqlglot
from psycopg import sql
from sqlglot import exp

from marketplace.sources.description import Postgres
from marketplace.sources.errors import AccountMayWrite, DatabaseRefused, NotOneQuery, TooLarge, TooSlow

_CONNECT_S = 10
_CANCELED = "57014"
_MAY_WRITE = """
select rolsuper
    or coalesce(has_table_privilege(current_user, %(table)s::text, 'insert, update, delete, truncate'), false)
from pg_roles where rolname = current_user
"""


def fetch_postgres(source: Postgres, target: Path, *, deadline_ms: int, max_bytes: int) -> None:
    """Write the rows to `target` (UTF-8, with a header). Blocking.

    Raises AccountMayWrite, NotOneQuery, TooSlow, TooLarge, DatabaseRefused.
    """
    rows = _rows(source)
    try:
        with psycopg.connect(source.dsn, connect_timeout=_CONNECT_S, client_encoding="utf8") as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            _restrict(connection, source, deadline_ms)
            _copy(connection, rows, target, max_bytes)
            connection.rollback()
    except psycopg.Error as e:
        # The driver's words may hold the address, the account or a cell.
        if e.sqlstate == _CANCELED:
            raise TooSlow(max_s=deadline_ms // 1000) from None
        raise DatabaseRefused(state=e.sqlstate or "08001") from None


def _restrict(connection: psycopg.Connection[Any], source: Postgres, deadline_ms: int) -> None:
    """An account that could write, or everything, is none to lend to another."""
    connection.execute(sql.SQL("set local statement_timeout = {}").format(sql.Literal(deadline_ms)))
    connection.execute("set local lock_timeout = '10s'")
    row = connection.execute(_MAY_WRITE, {"table": source.table}).fetchone()
    if row is None or row[0]:
        raise AccountMayWrite


def _rows(source: Postgres) -> sql.Composable:
    if source.table is not None:
        return sql.SQL("select * from {}").format(sql.Identifier(*source.table.split(".")))
    text = (source.query or "").strip().removesuffix(";")
    try:
        statements = sqlglot.parse(text, dialect="postgres")
    except sqlglot.errors.SqlglotError:
        raise NotOneQuery from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise NotOneQuery
    return sql.SQL(text)  # the owner's own words, to the owner's own database


def _copy(connection: psycopg.Connection[Any], rows: sql.Composable, target: Path, max_bytes: int) -> None:
    # A line break: the query may end in a comment.
    command = sql.SQL("copy ({}\n) to stdout (format csv, header)").format(rows)
    written = 0
    with connection.cursor().copy(command) as stream, target.open("xb") as file:
        target.chmod(0o600)
        for block in stream:
            written += len(block)
            if written > max_bytes:
                raise TooLarge(max_bytes=max_bytes)
            file.write(block)
