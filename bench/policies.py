"""How long a decision takes, in process and on an OPA server, beside what a process already pays for JSON."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from bench.figure import figure, quantile
from policies.answer import canonical
from policies.binaries import find
from policies.decision import Question
from policies.engine import Engine, Server, open_engine
from policies.fit import unfit
from policies.release import release
from policies.signing import PUBLIC
from policies.sources import FOLDER

WARM = 200
N = 3_000
GOALS_MS = (0.5, 1.0)
"""Of p50 and p99, in process."""
OWN_TIMERS = {
    "reading the question": "timer_rego_input_parse_ns",
    "the rules": "timer_rego_query_eval_ns",
    "all of it": "timer_server_handler_ns",
}
SERVER_GOALS_MS = (2.0, None)


async def figures() -> list[dict[str, Any]]:
    """Decision p50 and p99 of each engine, and the time to open the module."""
    bases = msgspec.json.decode((FOLDER / "cases" / "bases.json").read_bytes(), type=dict[str, Question])
    asked = bases["rows"]
    began = time.perf_counter()
    engine = open_engine(None)
    opened_ms = (time.perf_counter() - began) * 1000
    found = await _decide("decision, module in process", engine, asked, N, goals=GOALS_MS)
    await engine.close()
    found.append(figure("decision, opening the module", opened_ms, "ms", n=1))
    return found + await _server(asked)


async def _decide(
    name: str, engine: Engine, asked: Question, n: int, goals: tuple[float | None, ...]
) -> list[dict[str, Any]]:
    for _ in range(WARM):
        assert (await engine.decide(asked)).allow
    taken, written, fitted = [], [], []
    for _ in range(n):
        began = time.perf_counter()
        document = canonical(asked)
        after_json = time.perf_counter()
        unfit(document)
        after_fit = time.perf_counter()
        await engine.decide(asked)
        taken.append((time.perf_counter() - after_fit) * 1000)
        written.append((after_json - began) * 1000)
        fitted.append((after_fit - after_json) * 1000)
    parts = f"JSON {quantile(written, 0.5):.4f} ms, is it a question {quantile(fitted, 0.5):.4f} ms"
    print(f"  {name}: {parts}, the rest is the rules and the way there", file=sys.stderr)
    return [
        figure(f"{name}, p50", quantile(taken, 0.5), "ms", n=n, goal=goals[0]),
        figure(f"{name}, p99", quantile(taken, 0.99), "ms", n=n, goal=goals[1]),
    ]


async def _server(asked: Question) -> list[dict[str, Any]]:
    """Nothing when there is no OPA here."""
    opa = find("opa")
    if opa is None:
        return []
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        made = release(
            opa.path, Path(folder) / "bundle.tar.gz", keys=Path(folder), built_at_ms=time.time_ns() // 1_000_000
        )
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
        probe.close()
        command = (
            "run",
            "--server",
            "--addr",
            address,
            "--log-level",
            "error",
            "--config-file",
            str(made.configuration),
        )
        server = await asyncio.create_subprocess_exec(opa.path, *command, stderr=subprocess.DEVNULL)
        key = Path(folder) / PUBLIC
        engine = open_engine(
            Server(url=f"http://{address}", timeout_ms=2_000, verification_key=key, max_age_s=3_600)
        )
        try:
            for _ in range(100):
                if (await engine.health()).healthy:
                    break
                await asyncio.sleep(0.1)
            found = await _decide("decision, OPA server", engine, asked, N // 3, goals=SERVER_GOALS_MS)
            await _tell_own_time(f"http://{address}", asked)
            return found
        finally:
            await engine.close()
            server.kill()
            await server.wait()


async def _tell_own_time(url: str, asked: Question) -> None:
    """What OPA's own timers say of a decision; the rest of the figure is HTTP and this process."""
    body = b'{"input":' + canonical(asked) + b"}"
    taken: dict[str, list[float]] = {name: [] for name in OWN_TIMERS}
    async with aiohttp.ClientSession(url) as session:
        for _ in range(WARM):
            async with session.post(f"/v1/data/{asked.entrypoint}?metrics=true", data=body) as answer:
                metrics = (await answer.json())["metrics"]
            for name, timer in OWN_TIMERS.items():
                taken[name].append(metrics[timer] / 1_000_000)
    parts = ", ".join(f"{name} {quantile(spent, 0.5):.3f} ms" for name, spent in taken.items())
    print(f"  of it OPA itself: {parts}; the rest is HTTP and this process", file=sys.stderr)
