"""The tables as this code wants them: looked up without Alembic, whose import would cost every start 0.3 s."""

from __future__ import annotations

from pathlib import Path

import psycopg
from psycopg.errors import UndefinedTable

from marketplace.config import Config
from marketplace.db.engine import migration_url

MIGRATIONS = Path(__file__).parent / "migrations"


def newest() -> str:
    """The last revision that there is a migration for: they are numbered in the order in which they run."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def bring_up_to_date(config: Config) -> None:
    """Run what migrations are missing. Raises what PostgreSQL raises."""
    with psycopg.connect(migration_url(config)) as connection:
        try:
            row = connection.execute("select version_num from alembic_version").fetchone()
        except UndefinedTable:
            row = None
    if row is None or row[0] != newest():
        from marketplace.db.migrate import upgrade

        upgrade(config)
