"""Parts of the service that go away: the policy engine, PostgreSQL."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest

from policies.signing import signing_key
from tests.market import Market


@pytest.mark.parametrize("kind", ["down", "silent"])
def test_a_policy_server_that_is_down_or_silent_denies_within_the_deadline(alive: Market, kind: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if kind == "silent":
            listener.listen()
        alive.stop()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        signing_key(alive.home / "keys")
        alive.start_unready(SANDULIEU_OPA_URL=url, SANDULIEU_OPA_TIMEOUT_MS="300")
        answer = alive.client("startup").post("/api/v1/queries", alive.ask())  # the listener is silent to the end
    assert answer.status == 403
    (reason,) = answer.json()["reasons"]
    assert (reason["code"], reason["params"]) == ("policy.engine_unavailable", {"timeout_ms": 300})
    ready = alive.client(None).get("/readyz")
    assert (ready.status, ready.json()["policy_fault"]) == (503, "policy.engine_unavailable")


def test_postgresql_gone_and_back_loses_nothing(alive: Market) -> None:
    before = alive.balance()["available_vnd"]
    _postgres(alive, "SIGKILL")
    answer = alive.client("startup").post("/api/v1/queries", alive.ask())
    assert answer.status == 503
    assert answer.json()["code"].startswith("database.")
    alive.command("db", "status")  # whoever comes next starts the embedded server again
    until = time.monotonic() + 60
    while time.monotonic() < until and not alive.client(None).get("/readyz").ok:
        time.sleep(0.1)
    assert alive.balance()["available_vnd"] == before
    assert alive.client("startup").post("/api/v1/queries", alive.ask()).json()["state"] == "ready"
    assert alive.reconciled()


def _postgres(market: Market, signal_name: str) -> None:
    """Send a signal to the embedded server of this home."""
    (pid_file,) = Path(market.home, "postgres").rglob("postmaster.pid")
    pid = pid_file.read_text().split()[0]
    subprocess.run(["kill", f"-{signal_name.removeprefix('SIG')}", pid], check=True)
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.02)
