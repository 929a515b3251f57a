"""A log of its own: other tests write to the shared one while a search is compared with its rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from marketplace.db import embedded
from marketplace.db.keys import Keys
from marketplace.db.roles import OWNER
from tests.marketplace.audit.conftest import Log, empty, log_home, log_server
from tests.prepared import copy_event_tag

__all__ = ["log_home", "log_server"]
INDEX = ("search_posting", "search_term", "search_block")


@pytest.fixture
def log(log_server: Log, tmp_path: Path) -> Log:
    """An empty log with fresh keys, and nothing indexed."""
    empty(log_server)
    copy_event_tag(log_server.config.home, tmp_path / "keys")
    with psycopg.connect(embedded.url(log_server.config.home, OWNER)) as connection:
        for table in INDEX:
            connection.execute(f"DELETE FROM {table}".encode())
    return replace(log_server, keys=Keys(tmp_path / "keys"))
