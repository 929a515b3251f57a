"""One register through the whole publication at growing scales: time and memory a stage.

BENCH_REGISTERS_SCALES (0.01,0.1): growth is told from the first to the last.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from msgspec import Struct

from bench.figure import figure
from catalog.limits import IngestLimits
from catalog.pipeline.record import StageRecord
from catalog.publish import Publication, publish
from catalog.registers.writing import Written, write_registers
from catalog.storage import Store
from sandbox.isolation.oneshot import run_once

SCALES = tuple(float(s) for s in os.environ.get("BENCH_REGISTERS_SCALES", "0.01,0.1").split(","))
NAME = os.environ.get("BENCH_REGISTERS_NAME", "giay_phep_lai_xe")
LIMITS = IngestLimits(deadline_ms=3_600_000, memory_bytes=16 * 1024**3)
GIB = 1024**3


class Told(Struct, frozen=True, kw_only=True):
    """Seconds of each stage, and the most that its jail held (GiB), by its name."""

    rows: int
    seconds: dict[str, float]
    memory: dict[str, float]


async def figures() -> list[dict[str, Any]]:
    """Seconds and memory at each scale, and how a stage's seconds grow beside the rows."""
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        told = [await asyncio.to_thread(_through, Path(folder), scale) for scale in SCALES]
    found = [
        figure(f"registers: {NAME} {one.rows:,} rows, {stage}", seconds, "s", n=1)
        for one in told
        for stage, seconds in one.seconds.items()
    ]
    found += [
        figure(f"registers: {NAME} {one.rows:,} rows, {stage}, memory", gib, "GiB", n=1)
        for one in told
        for stage, gib in one.memory.items()
    ]
    first, last = told[0], told[-1]
    times = last.rows / first.rows
    found += [
        figure(f"registers: {stage}, growth over {times:g} × the rows", grown, "×", n=1, goal=1.5 * times)
        for stage, grown in ((stage, last.seconds[stage] / s) for stage, s in first.seconds.items())
    ]
    return found


def _through(folder: Path, scale: float) -> Told:
    began = time.perf_counter()
    (register,) = write_registers(folder / f"{scale}", scale=scale, names=(NAME,))
    written = time.perf_counter() - began
    memory: dict[str, float] = {}
    with _watched(memory):
        done = _publish(folder, register)
    report = done.report
    seconds = {
        "write the register": written, "read": report.read_ms / 1000, "anonymise": report.anonymise_ms / 1000,
        "measure and recheck": report.measure_ms / 1000,
    }  # fmt: skip
    return Told(rows=register.rows, seconds=seconds, memory=memory)


def _publish(folder: Path, register: Written) -> Publication:
    def pseudonymise(subjects: Sequence[str]) -> list[bytes]:
        return [hmac.digest(b"key of a benchmark", s.encode(), "sha256")[:16] for s in subjects]

    parts = folder / f"parts-{register.rows}"
    parts.mkdir()
    for part in register.parts:
        part.rename(parts / part.name)
    return publish(
        (register.folder / "manifest.yaml").read_text(encoding="utf-8"), parts, observe=_progress,
        store=Store(folder / f"store-{register.rows}"), pseudonymise=pseudonymise, consented=None, previous=None,
        limits=LIMITS,
    )  # fmt: skip


def _progress(record: StageRecord) -> None:
    """A line a stage, for whoever waits an hour for it."""
    seconds = "" if record.state == "running" else f" {record.duration_ms / 1000:,.1f} s"
    print(f"  {time.strftime('%H:%M:%S')} {record.stage}: {record.state}{seconds}", file=sys.stderr, flush=True)


@contextmanager
def _watched(memory: dict[str, float]) -> Iterator[None]:
    """The jails of a publication tell what they used."""

    def run(entry: str, *given: Any, **more: Any) -> Any:
        done = run_once(entry, *given, **more)
        memory[entry.partition(":")[0].rpartition(".")[2]] = done.usage.peak_memory_bytes / GIB
        return done

    with mock.patch("catalog.intake.run_once", run), mock.patch("catalog.making.run_once", run):
        yield
