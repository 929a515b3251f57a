"""A database older than what was published of its log: nothing is built on it, and whoever looks is told."""

from __future__ import annotations

from marketplace.audit.note import sign_checkpoint
from marketplace.config import Config
from marketplace.db.keys import Keys
from tests.market import Market


def test_a_service_whose_database_is_older_than_its_log_is_not_ready_and_says_so(alive: Market) -> None:
    """To the service it is the same whether the database lost leaves, or more were published than it ever had."""
    alive.stop()
    checkpoint = alive.home / "log" / "checkpoint"
    before = checkpoint.read_text()
    later = sign_checkpoint(Config().log_origin, Keys(alive.home / "keys").log_signing(), 10**6, b"\0" * 32)
    checkpoint.write_text(later)
    alive.start_unready()
    ready = alive.client(None).get("/readyz")
    assert (ready.status, ready.json()["log"], ready.json()["database"]) == (503, False, True)
    alive.stop()
    assert checkpoint.read_text() == later, "what was shown is not taken back"
    assert "restored from an older backup" in alive.log.read_text()
    checkpoint.write_text(before)
