"""The tables as this code wants them: looked up without Alembic, whose import would cost every start 0.3 s."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg.errors import UndefinedTable

from marketplace.config import Config
from marketplace.db.engine import CONNECT_TIMEOUT_S, migration_url
from marketplace.errors import Unavailable

MIGRATIONS = Path(__file__).parent / "migrations"


class TablesBehind(Unavailable):
    """This release needs tables that are not there yet."""

    code = "database.behind"


class TablesNewer(Unavailable):
    """A newer release made the tables; nothing was changed."""

    code = "database.newer"


def newest() -> str:
    """The last revision that there is a migration for: they are numbered in the order in which they run."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def is_newer(revision: str | None) -> bool:
    """Whether tables of that revision were made by a newer release than this one."""
    return revision is not None and revision > newest()


def bring_up_to_date(config: Config) -> None:
    """Run what migrations are missing. Raises TablesNewer, and what PostgreSQL raises."""
    if _current(config) != newest():
        from marketplace.db.migrate import upgrade

        upgrade(config)


def require_up_to_date(config: Config) -> None:
    """For who may not migrate. Raises TablesBehind, TablesNewer, and what PostgreSQL raises."""
    found, wanted = _current(config), newest()
    if is_newer(found):
        raise TablesNewer(current=found, newest=wanted)
    if found != wanted:
        raise TablesBehind(current=found or "–", newest=wanted)


def _current(config: Config) -> str | None:
    with psycopg.connect(migration_url(config), connect_timeout=CONNECT_TIMEOUT_S) as connection:
        try:
            row = connection.execute("select version_num from alembic_version").fetchone()
        except UndefinedTable:
            return None
    return row[0] if row else None
