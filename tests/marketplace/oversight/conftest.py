"""A log of its own: other tests write to the shared one while a search is compared with its rows."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from marketplace.db import embedded
from marketplace.db.keys import Keys
from marketplace.db.roles import OWNER
from tests.marketplace.audit.conftest import Log, log_home, log_server

__all__ = ["log_home", "log_server"]
LOG = (
    "event_salt", "pending_leaf", "audit_leaf", "audit_node", "checkpoint", "event", "decision", "search_posting",
    "search_term", "search_block",
)  # fmt: skip


@pytest.fixture
def log(log_server: Log, tmp_path: Path) -> Log:
    """An empty log with fresh keys, and nothing indexed."""
    with psycopg.connect(embedded.url(log_server.config.home, OWNER)) as connection:
        connection.execute("SET session_replication_role = replica")
        for table in LOG:
            connection.execute(f"DELETE FROM {table}".encode())
    return Log(log_server.database, log_server.config, Keys(tmp_path / "keys"))
