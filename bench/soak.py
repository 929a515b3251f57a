"""`make soak`: for SOAK_MINUTES, startups ask while the service is killed and started again; nothing may be lost.

After each death: the ledger reconciles, no wallet is below zero, the whole log verifies, nothing hangs half done.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench import soak_answers, soak_laws, soak_ledger, soak_sql
from bench.cold import cold
from marketplace.cli.client import Unreachable
from marketplace.db import embedded
from tests.market import EXAMPLES, Market, market_of, prepare_home

MINUTES = float(os.environ.get("SOAK_MINUTES", "10"))
SEED = int(os.environ.get("SOAK_SEED", str(time.time_ns() % 1_000_000)))
CLIENTS = 4
LIFE_S = (3.0, 12.0)
SETTLED_S = 45


def main() -> int:
    """0 when every question and every round ended in agreement, 1 at the first that did not."""
    if soak_laws.main() or soak_answers.main() or soak_sql.main() or soak_ledger.main():
        return 1
    print(f"soak: {MINUTES:g} minutes, SOAK_SEED={SEED}", flush=True)
    chance = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="sdl-soak-") as folder:
        home = Path(folder) / "home"
        market = cold(market_of(home, prepare_home(home), SANDULIEU_SWEEP_INTERVAL_S="2"))
        market.start()
        try:
            market.credit(1_000_000_000)
            market.publish("adult", EXAMPLES / "adult" / "manifest.yaml", EXAMPLES / "adult" / "adult.csv.gz")
            market.agree("adult")
            until = time.monotonic() + MINUTES * 60
            rounds = 0
            while time.monotonic() < until:
                rounds += 1
                answered = _live(market, chance.uniform(*LIFE_S))
                wrong = _reckon(market)
                print(
                    f"round {rounds}: {answered} answers, then SIGKILL; {wrong or 'all in agreement'}", flush=True
                )
                if wrong:
                    return 1
        finally:
            market.stop()
            embedded.stop(market.home)
    return 0


def _live(market: Market, life_s: float) -> int:
    """Ask until the service dies at a moment nobody chose; how many answers came."""
    stop = threading.Event()
    answers: list[int] = []
    clients = [threading.Thread(target=_ask, args=(market, stop, answers)) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    time.sleep(life_s)
    market.stop(signal.SIGKILL)
    stop.set()
    for client in clients:
        client.join()
    return len(answers)


def _ask(market: Market, stop: threading.Event, answers: list[int]) -> None:
    client = market.client("startup")
    while not stop.is_set():
        try:
            answer = client.post("/api/v1/queries", market.ask())
        except (Unreachable, OSError):
            return
        if answer.ok:
            answers.append(answer.status)


def _reckon(market: Market) -> str:
    """Start again and hold everything against everything; what does not fit, or nothing."""
    market.start()
    until = time.monotonic() + SETTLED_S
    while not (agrees := market.reconciled()) and time.monotonic() < until:
        time.sleep(1)
    if not agrees:
        return "ledger, usage and balances differ: " + market.command("ledger", "reconcile").stdout
    if market.balance()["available_vnd"] < 0:
        return "a wallet is below zero"
    verified = market.command("audit", "verify")
    return "" if verified.returncode == 0 else "the log does not verify: " + verified.stdout + verified.stderr


if __name__ == "__main__":
    sys.exit(main())
