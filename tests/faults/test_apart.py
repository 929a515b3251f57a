"""Service and worker apart: the service gives answers, the worker gives leaves and sweeps."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.market import Market


def test_without_a_worker_there_is_no_receipt_and_with_one_there_is(alive: Market) -> None:
    alive.stop()
    alive.start_without_background()
    client = alive.client("startup")
    query = client.post("/api/v1/queries", alive.ask()).json()
    assert query["state"] == "ready"
    path = f"/api/v1/queries/{query['id']}/receipt"
    time.sleep(0.5)
    assert client.get(path).json()["code"] == "receipt.pending"
    command = [sys.executable, "-m", "marketplace.cli.main", "worker"]
    with subprocess.Popen(command, env={**os.environ, **alive.environment}) as worker:
        until = time.monotonic() + 20
        while not client.get(path).ok and time.monotonic() < until:
            time.sleep(0.1)
        worker.terminate()
        assert worker.wait(timeout=20) == 0
    assert client.get(path).ok
