"""A table or query of an owner's PostgreSQL as CSV, in one read-only transaction, by an account that may read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psycopg
import sqlglot
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlglot import exp

from marketplace.sources.description import Postgres
from marketplace.sources.errors import AccountMayWrite, DatabaseRefused, NotOneQuery, NotSecure, TooLarge, TooSlow

_CONNECT_S = 10
_CANCELED = "57014"
_VERIFIED = ("verify-full", "verify-ca")
_LOCAL = ("", "127.0.0.1", "::1", "localhost")
_MAY_WRITE = """
select rolsuper or exists (
    select from unnest(%(tables)s::text[]) as name, to_regclass(name) as place
    where has_table_privilege(current_user, place, 'insert, update, delete, truncate')
       or has_any_column_privilege(current_user, place, 'insert, update')
)
from pg_roles where rolname = current_user
"""


def fetch_postgres(source: Postgres, target: Path, *, deadline_ms: int, max_bytes: int) -> None:
    """Write the rows to `target` (UTF-8, with a header). Blocking.

    Raises NotSecure, AccountMayWrite, NotOneQuery, TooSlow, TooLarge, DatabaseRefused.
    """
    rows, tables = _rows(source)
    try:
        _require_verified(source.dsn)
        with psycopg.connect(source.dsn, connect_timeout=_CONNECT_S, client_encoding="utf8") as connection:
            connection.read_only = True
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            _restrict(connection, tables, deadline_ms)
            _copy(connection, rows, target, max_bytes)
            connection.rollback()
    except psycopg.Error as e:
        # The driver's words may hold the address, the account or a cell.
        if e.sqlstate == _CANCELED:
            raise TooSlow(max_s=deadline_ms // 1000) from None
        raise DatabaseRefused(state=e.sqlstate or "08001") from None


def _require_verified(dsn: str) -> None:
    """Raises NotSecure where neither the server's certificate is checked nor the server is this machine.

    libpq's own choice, `prefer`, takes any certificate and goes on without one.
    """
    said = conninfo_to_dict(dsn)
    places = [
        str(said.get(name) or os.environ.get(variable, ""))
        for name, variable in (("host", "PGHOST"), ("hostaddr", "PGHOSTADDR"))
    ]
    hosts = [host.strip() for place in places for host in place.split(",")]
    is_local = not said.get("service") and all(host in _LOCAL or host[0] in "/@" for host in hosts)
    if not is_local and said.get("sslmode") not in _VERIFIED:
        raise NotSecure


def _restrict(connection: psycopg.Connection[Any], tables: list[str], deadline_ms: int) -> None:
    """An account that could write, or everything, is none to lend to another."""
    connection.execute(sql.SQL("set local statement_timeout = {}").format(sql.Literal(deadline_ms)))
    connection.execute("set local lock_timeout = '10s'")
    row = connection.execute(_MAY_WRITE, {"tables": tables}).fetchone()
    if row is None or row[0]:
        raise AccountMayWrite


def _rows(source: Postgres) -> tuple[sql.Composable, list[str]]:
    """What is copied, and the tables and views that it names, as PostgreSQL quotes them."""
    if source.table is not None:
        name = sql.Identifier(*source.table.split("."))
        return sql.SQL("select * from {}").format(name), [name.as_string()]
    text = (source.query or "").strip().removesuffix(";")
    try:
        statements = sqlglot.parse(text, dialect="postgres")
    except sqlglot.errors.SqlglotError:
        raise NotOneQuery from None
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise NotOneQuery
    named = [table.parts for table in statements[0].find_all(exp.Table)]
    tables = [
        ".".join(part.sql(dialect="postgres") for part in parts)
        for parts in named
        if all(isinstance(part, exp.Identifier) for part in parts)
    ]
    return sql.SQL(text), tables  # the owner's own words, to the owner's own database


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
