"""The published log: a database that is older gets nothing built on it; a store that is away stops no query."""

from __future__ import annotations

import socket
from pathlib import Path

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


def test_a_store_of_the_log_that_is_silent_leaves_the_service_ready_and_every_query_logged(
    alive: Market, tmp_path: Path
) -> None:
    alive.stop()
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        described = tmp_path / "log.toml"
        described.write_text(
            f'kind = "s3"\nendpoint = "http://127.0.0.1:{silent.getsockname()[1]}"\nbucket = "log"\nprefix = ""\n'
            'access_key_id = "a"\nsecret_access_key = "b"\n'
        )
        described.chmod(0o600)
        alive.start(SANDULIEU_LOG_STORE_FILE=str(described))
        ready = alive.client(None).get("/readyz")
        assert (ready.status, ready.json()["log_store"], ready.json()["log"]) == (200, False, True)
        asked = alive.client("startup").post("/api/v1/queries", alive.ask()).json()
        assert asked["state"] == "ready"
        (event, *_) = alive.client("regulator").get(f"/api/v1/audit/events?query_id={asked['id']}").json()["items"]
        assert (event["name"], event["leaf_index"]) == ("query:settle", None)
        alive.stop()
