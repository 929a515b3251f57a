"""Personal data: recall and precision a kind, of columns and of cells, on two generated sets; beside one regular
expression a kind. The second set was written apart from the first; nothing was tuned on the seed scored here."""

from __future__ import annotations

import asyncio
import csv
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.figure import figure
from bench.pii import held_out, register
from bench.pii.labelled import KINDS, Score, score
from bench.pii.ours import ours
from bench.pii.plain import plain
from catalog.pii.detect import detect, present_year
from catalog.pii.order import ScanOrder

SEED = 4_711
ROWS = 200_000


async def figures() -> list[dict[str, Any]]:
    """Shares, with the goals recall ≥ 0.98 and precision ≥ 0.95; and how long a scan takes."""
    return await asyncio.to_thread(_figures)


def _figures() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, columns in (("registers", list(register.columns(SEED))), ("held out", list(held_out.columns(SEED)))):
        own, simple = score(columns, ours), score(columns, plain)
        for level, mine, theirs in (
            ("columns", own.columns, simple.columns),
            ("cells", own.cells, simple.cells),
        ):
            found += _shares(f"detect, {name}, {level}", mine, theirs)
    return [*found, *_speed()]


def _shares(what: str, mine: dict[str, Score], theirs: dict[str, Score]) -> Iterator[dict[str, Any]]:
    for share, goal in (("recall", 0.98), ("precision", 0.95)):
        values = {kind: float(getattr(mine[kind], share)) for kind in KINDS}
        simple = [float(getattr(theirs[kind], share)) for kind in KINDS]
        for kind, value in values.items():
            count = mine[kind].right + mine[kind].missed
            yield figure(f"{what}: {kind} {share}", value, "share", n=count, goal=goal, better="higher")
        yield figure(
            f"{what}: mean {share}, plain expressions",
            sum(values.values()) / len(values),
            "share",
            n=len(values),
            baseline=sum(simple) / len(simple),
            better="higher",
        )


def _speed() -> list[dict[str, Any]]:
    """A file of ten columns scanned in its jail, three of them plain; beside the same not asked about them."""
    draw = random.Random(SEED)
    makes = (register.name, register.phone, register.citizen, register.old_address, register.birth, register.email)
    with tempfile.TemporaryDirectory(prefix="sandulieu-bench-") as folder:
        path = Path(folder) / "persons.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow([*(make.__name__ for make in makes), "one", "two", "three", "sex"])
            block = [[make(draw) for make in makes] for _ in range(2_000)]
            for number in range(ROWS):
                rows.writerow([*block[number % 2_000], number % 977, number % 601, number, "nam"])
        began = time.perf_counter()
        detect(path)
        alone = time.perf_counter() - began
        detect(path, ScanOrder(year=present_year(), plain=("one", "two", "three")))
        both = time.perf_counter() - began - alone
    return [
        figure(f"detect: scan of {ROWS:,} rows, 10 columns", alone, "s", n=1),
        figure(f"detect: the same, three columns and their pairs counted, {ROWS:,} rows", both, "s", n=1,
               baseline=alone),
    ]  # fmt: skip
