"""The whole service, as a startup meets it: latency, throughput, start, memory."""

from __future__ import annotations

import asyncio
import http.client
import json
import mmap
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import duckdb

from bench.cold import cold
from bench.figure import figure, quantile
from bench.floor import FORKS, STARTS, bare_fork_ms, imports_s
from marketplace.db import embedded
from tests.market import EXAMPLES, SMALL_SQL, Market, market_of, prepare_home

ONE_BY_ONE = 300
CLIENTS = 8
SECONDS = 8
PAUSE_S = 0.05
PAGES = 8_192


async def figures() -> list[dict[str, Any]]:
    """Small governed queries over UCI Adult beside plain DuckDB on the same files; ready time; idle memory."""
    return await asyncio.to_thread(_measured)


def _measured() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        market = cold(market_of(home, prepare_home(home)))
        market.start()
        try:
            market.credit(1_000_000_000)
            market.publish("adult", EXAMPLES / "adult" / "manifest.yaml", EXAMPLES / "adult" / "adult.csv.gz")
            market.agree("adult")
            return [*_latency(market), *_throughput(market), *_start(market)]
        finally:
            market.stop()
            embedded.stop(market.home)


class Asker:
    """One kept-alive connection of the startup."""

    def __init__(self, market: Market) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", market.port, timeout=60)
        self.headers = {
            "Authorization": f"Bearer {market.parties.tokens['startup']}",
            "Content-Type": "application/json",
        }
        self.body = json.dumps(market.ask())

    def ask(self, *, pause_s: float = 0) -> float:
        """Milliseconds from request to a ready answer. `pause_s` before: what the last one left to do is done."""
        time.sleep(pause_s)
        began = time.perf_counter()
        self.connection.request("POST", "/api/v1/queries", self.body, self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 201 or json.loads(body)["state"] != "ready":
            raise RuntimeError(body.decode())
        return took


def _latency(market: Market) -> list[dict[str, Any]]:
    asker = Asker(market)
    for _ in range(50):
        asker.ask()
    times = [asker.ask(pause_s=PAUSE_S) for _ in range(ONE_BY_ONE)]
    in_a_row = [asker.ask() for _ in range(ONE_BY_ONE)]
    return [
        figure("small governed query, idle service: p50", statistics.median(times), "ms", n=ONE_BY_ONE, goal=15),
        figure("small governed query, idle service: p99", quantile(times, 0.99), "ms", n=ONE_BY_ONE),
        figure("small governed queries in a row: p50", statistics.median(in_a_row), "ms", n=ONE_BY_ONE),
        figure("  beside it, plain DuckDB on the same files: p50", _plain(market), "ms", n=ONE_BY_ONE),
        figure("  beside it, a bare fork that answers so and ends: p50", _bare(market), "ms", n=FORKS),
        figure("  this machine: a new page's first write (a child makes some 2,000)", _page_us(), "us", n=PAGES),
    ]


def _page_us() -> float:
    """Most of what a jail's child costs, for it is a fork: 0.25 us on bare metal, more in nested machines."""
    with mmap.mmap(-1, PAGES * mmap.PAGESIZE) as memory:
        began = time.perf_counter()
        for place in range(0, len(memory), mmap.PAGESIZE):
            memory[place] = 1
        return (time.perf_counter() - began) * 1e6 / PAGES


def _parts(market: Market) -> Path:
    (parts,) = {p.parent for p in Path(market.home, "store", "versions").rglob("*.parquet")}
    return parts


def _bare(market: Market) -> float:
    return bare_fork_ms(_parts(market), SMALL_SQL)


def _plain(market: Market) -> float:
    con = duckdb.connect(config={"threads": 2})
    con.execute(f"create view adult as select * from read_parquet('{_parts(market)}/*.parquet')")
    times = []
    for _ in range(ONE_BY_ONE):
        began = time.perf_counter()
        con.execute(SMALL_SQL).to_arrow_table()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def _throughput(market: Market) -> list[dict[str, Any]]:
    times: list[float] = []
    until = time.monotonic() + SECONDS

    def work() -> None:
        asker = Asker(market)
        while time.monotonic() < until:
            times.append(asker.ask())

    threads = [threading.Thread(target=work) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    label = f"small governed queries, {CLIENTS} clients"
    return [
        figure(f"{label}: rate", len(times) / SECONDS, "queries/s", n=len(times), goal=50, better="higher"),
        figure(f"{label}: p99", quantile(times, 0.99), "ms", n=len(times), goal=500),
    ]


def _start(market: Market) -> list[dict[str, Any]]:
    """Ready time with the database warm (this process keeps it up), then memory of the idle service."""
    times = []
    for _ in range(3):
        market.stop()
        began = time.monotonic()
        market.start()
        times.append(time.monotonic() - began)
    time.sleep(2)
    return [
        figure("service ready after start, database warm", statistics.median(times), "s", n=3, goal=3),
        figure("  beside it, an interpreter that imports its libraries", imports_s(), "s", n=STARTS),
        figure(
            "idle memory of service and jails (PSS), without PostgreSQL", _memory(market), "MiB", n=1, goal=400
        ),
    ]


def _memory(market: Market) -> float:
    total, waiting = 0, [market.pid]
    while waiting:
        pid = waiting.pop()
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            waiting += [int(child) for child in task.read_text().split()]
        if "postgres" in Path(f"/proc/{pid}/cmdline").read_text():
            continue
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total / 1024
