"""Service and worker apart: the service gives answers, the worker gives leaves and sweeps."""

from __future__ import annotations

import time

from tests import forked
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
    worker = forked.start(("worker",), alive.environment, alive.log)
    until = time.monotonic() + 60
    while not client.get(path).ok and time.monotonic() < until:
        time.sleep(0.1)
    worker.terminate()
    worker.join(20)
    assert worker.exitcode == 0
    assert client.get(path).ok
