"""One register through the whole publication, as a service runs it, at growing scales: time and memory a stage.

BENCH_REGISTERS_SCALES (0.01,0.1): growth is told from the first to the last. BENCH_REGISTERS_NAME: which register.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from msgspec import Struct

from bench.figure import figure
from bench.held import Held, Watch
from catalog.limits import IngestLimits
from catalog.quality.first import first_suite
from catalog.quality.reading import write_suite
from catalog.registers.writing import write_registers
from marketplace.cli.client import Answer, Client
from marketplace.cli.demo_parties import CAST, Actor, House, prepare_parties
from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.migrate import upgrade
from marketplace.publications.tasks import CHECKLISTS
from tests.market import Market, market_of

SCALES = tuple(float(s) for s in os.environ.get("BENCH_REGISTERS_SCALES", "0.01,0.1").split(","))
NAME = os.environ.get("BENCH_REGISTERS_NAME", "giay_phep_lai_xe")
LIMITS = {
    "SANDULIEU_INGEST_DEADLINE_MS": str(4 * 3_600_000), "SANDULIEU_INGEST_MEMORY_BYTES": str(16 * 1024**3),
}  # fmt: skip
SUITE_SCALE = 0.0005
"""Of a register from which a suite of expectations is generated: it is the same kind of data at any size."""
PATIENCE_S = 6 * 3600
TELLING_S = 0.5
"""Of less than that nothing grows that anybody waits for."""
SECOND = House("owner", CAST[1].name, CAST[1].slug, (Actor("second", "duyet@demo.example", "D", ("approver",)),))
TURNS = {"checking": ("owner", "submit"), "approving": ("second", "approve"), "reviewing": ("operator", "approve")}
QUERY = "select tinh, count(*) as persons from {slug} group by tinh order by persons desc limit 5"


class Told(Struct, frozen=True, kw_only=True):
    """By the stage's name: seconds by the clock, of processors, and the most held."""

    rows: int
    seconds: dict[str, float]
    processor_s: dict[str, float]
    held: dict[str, Held]


async def figures() -> list[dict[str, Any]]:
    """Seconds and memory at each scale, and how a stage's seconds grow beside the rows."""
    return await asyncio.to_thread(_measured)


def _measured() -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        suite = _suite(Path(folder))
        told = [_through(Path(folder, f"{number}"), scale, suite) for number, scale in enumerate(SCALES)]
    found = [each for one in told for each in _figures(one)]
    first, last = told[0], told[-1]
    times = last.rows / first.rows
    if times > 1:
        found += [
            figure(f"registers: {stage}, growth of processor seconds over {times:g} × the rows",
                   last.processor_s[stage] / seconds, "×", n=1, goal=1.5 * times)
            for stage, seconds in first.processor_s.items() if seconds >= TELLING_S and stage in last.processor_s
        ]  # fmt: skip
    return found


def _figures(one: Told) -> list[dict[str, Any]]:
    label = f"registers: {NAME} {one.rows:,} rows"
    found = [figure(f"{label}, {stage}", seconds, "s", n=1) for stage, seconds in one.seconds.items()]
    found += [figure(f"{label}, {stage}, processors", seconds, "s", n=1)
              for stage, seconds in one.processor_s.items()]  # fmt: skip
    for stage, held in one.held.items():
        found += [
            figure(f"{label}, {stage}, {who} held at most", value, "GiB", n=1)
            for who, value in (("service", held.service), ("jails", held.jails), ("both", held.both))
        ]
    return found


def _suite(folder: Path) -> Path:
    (register,) = write_registers(folder / "suite", scale=SUITE_SCALE, names=(NAME,))
    manifest = (register.folder / "manifest.yaml").read_text(encoding="utf-8")
    (part,) = register.parts
    made = first_suite(part, manifest, limits=IngestLimits())
    path = folder / "suite.json"
    path.write_text(write_suite(made), encoding="utf-8")
    return path


def _through(folder: Path, scale: float, suite: Path) -> Told:
    home, file = folder / "home", folder / "register.tar"
    folder.mkdir()
    began = time.monotonic()
    (register,) = write_registers(folder / "written", scale=scale, names=(NAME,))
    seconds = {"write the register": time.monotonic() - began}
    with tarfile.open(file, "w") as archive:
        for part in register.parts:
            archive.add(part, part.name)
            part.unlink()
    market = _market(home)
    market.start(**LIMITS)
    watch = Watch(market.pid)
    try:
        with watch.looking():
            told = _publish(market, watch, register.folder / "manifest.yaml", file, suite)
    finally:
        market.stop()
        embedded.stop(home)
        shutil.rmtree(folder)
    return Told(rows=register.rows, seconds=seconds | told, processor_s=watch.processor_s, held=watch.most)


def _market(home: Path) -> Market:
    home.mkdir(mode=0o700)
    config = Config(home=home)
    upgrade(config)
    return market_of(home, asyncio.run(prepare_parties(config, cast=(*CAST, SECOND))))


def _publish(market: Market, watch: Watch, manifest: Path, file: Path, suite: Path) -> dict[str, float]:
    """Seconds of each stage, from the file to an answer about it."""
    owner = Client(market.url, market.parties.tokens["owner"], timeout_s=PATIENCE_S)
    watch.doing, began = "send", time.monotonic()
    sent = _good(owner.upload("/api/v1/publications", manifest=manifest, suite=suite, file=file)).json()
    seconds = {"send": time.monotonic() - began}
    file.unlink()
    view = _waited(owner, watch, sent["id"], "making")
    seconds |= {each["record"]["stage"]: each["record"]["duration_ms"] / 1000 for each in view["each_stage"]
                if each["record"]["state"] == "passed"}  # fmt: skip
    watch.doing, began = "review", time.monotonic()
    while (state := view["state"]) in TURNS:
        who, verb = TURNS[state]
        body = {"verb": verb, "checklist": CHECKLISTS[state], "reason": "Đã xem."}
        view["state"] = _good(market.client(who).post(f"/api/v1/publications/{sent['id']}/steps", body)).json()[
            "state"
        ]
    seconds["review"] = time.monotonic() - began
    began = time.monotonic()
    view = _waited(owner, watch, sent["id"], "listing")
    if view["state"] != "listed":
        raise RuntimeError(f"{view['state']}: {view['problem']} {view['each_stage']}")
    seconds["list"] = time.monotonic() - began
    watch.doing = "first query"
    return seconds | {"first query": _asked(market, view["slug"])}


def _waited(owner: Client, watch: Watch, publication: str, state: str) -> dict[str, Any]:
    """The publication once it is in that state no more; a line a stage for whoever waits an hour for it."""
    said = ""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        view: dict[str, Any] = _good(owner.get(f"/api/v1/publications/{publication}")).json()
        if view["state"] != state:
            return view
        running = [e["record"]["stage"] for e in view["each_stage"] if e["record"]["state"] == "running"]
        watch.doing = running[0] if running else watch.doing
        if watch.doing != said:
            held, said = watch.most.get(said, Held()), watch.doing
            print(f"  … {held.both:.2f} GiB\n  {time.strftime('%H:%M:%S')} {said}", file=sys.stderr, flush=True)
        time.sleep(0.1)
    raise RuntimeError(f"still {state}")


def _asked(market: Market, slug: str) -> float:
    market.credit(1_000_000_000)
    market.datasets[slug] = market.client(None).get(f"/api/v1/datasets/{slug}").json()["id"]
    market.agree(slug)
    began = time.monotonic()
    answer = _good(
        market.client("startup").post("/api/v1/queries", market.ask(QUERY.format(slug=slug), slug=slug))
    )
    if answer.json()["state"] != "ready":
        raise RuntimeError(answer.body.decode())
    return time.monotonic() - began


def _good(answer: Answer) -> Answer:
    if not answer.ok:
        raise RuntimeError(answer.body.decode())
    return answer
