"""Eight tenants at the real service, one of which floods: what the others still get of their fair share.

Of queries the rate beside that without a flood; of questions that are free, the part of all answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from bench.figure import figure
from marketplace.cli.demo import unused_port
from marketplace.cli.demo_parties import CAST, Actor, House, prepare_parties
from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.migrate import upgrade
from tests.market import EXAMPLES, SMALL_SQL, Market

OTHERS = tuple(f"tenant{i}" for i in range(7))
FLOOD, FLOODERS = "flood", 40
SECONDS = 15
DEADLINE_MS = 2_000
QUERIES, QUOTES = "/api/v1/queries", "/api/v1/queries/quote"
ENDLESS_SQL = "select count(*) as n from adult a join adult b on a.education <> b.education"


async def figures() -> list[dict[str, Any]]:
    """The least that one of seven gets beside a flood of queries that run to their deadline, and of quotes."""
    return await asyncio.to_thread(_measured)


def _measured() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        market = _market(Path(folder) / "home")
        try:
            asks = {role: _ask(market, role, SMALL_SQL) for role in OTHERS}
            flood = _ask(market, "startup", ENDLESS_SQL)
            fair = _rates(market, asks, [])
            beside = _rates(market, asks, [flood] * FLOODERS)
            quotes = _rates(market, asks, [_ask(market, "startup", SMALL_SQL)] * FLOODERS, QUOTES)
        finally:
            market.stop()
            embedded.stop(market.home)
    share = statistics.mean(fair[role] for role in OTHERS) * len(OTHERS) / (len(OTHERS) + 1)
    return [
        figure(
            "least rate of 7 tenants while an eighth floods; baseline: an eighth of what all had",
            min(beside[role] for role in OTHERS),
            "queries/s",
            n=len(OTHERS),
            baseline=share,
            goal=0.5,
            better="higher",
        ),
        figure(
            "least rate of quotes of 7 tenants while an eighth floods quotes; baseline: an eighth of all",
            min(quotes[role] for role in OTHERS),
            "quotes/s",
            n=len(OTHERS),
            baseline=sum(quotes.values()) / (len(OTHERS) + 1),
            goal=0.5,
            better="higher",
        ),
    ]


def _market(home: Path) -> Market:
    home.mkdir(mode=0o700)
    config = Config(home=home)
    upgrade(config)
    houses = (
        House("startup", role, role, (Actor(role, f"{role}@bench.example", role, ("admin", "analyst")),))
        for role in OTHERS
    )
    parties = asyncio.run(prepare_parties(config, cast=(*CAST, *houses)))
    environment = {"SANDULIEU_HOME": str(home), "SANDULIEU_SANDBOX_DEADLINE_MS": str(DEADLINE_MS)}
    market = Market(home, unused_port("127.0.0.1"), parties, environment)
    market.start()
    market.publish("adult", EXAMPLES / "adult" / "manifest.yaml", EXAMPLES / "adult" / "adult.csv.gz")
    return market


def _ask(market: Market, role: str, sql: str) -> tuple[str, str]:
    """Token and body of a tenant's query; its wallet is filled."""
    market.credit(100_000_000, role=role)
    market.agreements["adult"] = market.agree("adult", role=role)
    return market.parties.tokens[role], json.dumps(market.ask(sql))


def _rates(
    market: Market, asks: dict[str, tuple[str, str]], floods: list[tuple[str, str]], path: str = QUERIES
) -> dict[str, float]:
    """Answers a second of each, one question at a time, while all `floods` ask as fast as they may; theirs too."""
    counts = dict.fromkeys((*asks, FLOOD), 0)
    counting = threading.Lock()
    until = time.monotonic() + SECONDS

    def flood(ask: tuple[str, str]) -> None:
        # The last of them are still in the queue when the service stops.
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            work(FLOOD, ask)

    def work(role: str, ask: tuple[str, str]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", market.port, timeout=60)
        headers = {"Authorization": f"Bearer {ask[0]}", "Content-Type": "application/json"}
        while time.monotonic() < until:
            connection.request("POST", path, ask[1], headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            if answer.status == 429:
                time.sleep(0.05)
            elif answer.status == 200 or body.get("state") == "ready":
                with counting:
                    counts[role] += 1

    threads = [threading.Thread(target=flood, args=(each,), daemon=True) for each in floods]
    mine = [threading.Thread(target=work, args=each) for each in asks.items()]
    for thread in (*threads, *mine):
        thread.start()
    for thread in mine:
        thread.join()
    return {role: count / SECONDS for role, count in counts.items()}
