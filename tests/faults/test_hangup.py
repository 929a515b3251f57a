"""SIGHUP while startups ask: the policy is loaded again, and no request fails."""

from __future__ import annotations

import os
import signal
import threading
import time

from tests.market import Market

HANGUPS = 3


def test_a_policy_is_loaded_again_without_a_dropped_request(alive: Market) -> None:
    over = threading.Event()
    answers: list[tuple[int, str]] = []
    revision = alive.client(None).get("/readyz").json()["policy_revision"]

    def ask() -> None:
        client = alive.client("startup")
        while not over.is_set():
            answer = client.post("/api/v1/queries/quote", alive.ask())
            answers.append((answer.status, answer.json().get("decision", {}).get("policy_revision", "")))

    askers = [threading.Thread(target=ask) for _ in range(2)]
    for asker in askers:
        asker.start()
    for hangup in range(HANGUPS):
        os.kill(alive.pid, signal.SIGHUP)
        said = f"policy {revision} after {revision}"
        while alive.log.read_text(encoding="utf-8").count(said) <= hangup:
            assert alive.lives
            time.sleep(0.02)
    over.set()
    for asker in askers:
        asker.join()
    assert answers
    assert set(answers) == {(200, revision)}
