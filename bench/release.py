"""What the broker's memory does while an answer grows: on the way from the jail to its rest, and out again."""

from __future__ import annotations

import asyncio
import re
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.figure import figure
from marketplace.db.keys import Keys
from marketplace.queries.forms import FORMS, Form
from marketplace.queries.keeping import Answer, Answers
from sandbox.isolation.pool import Pool
from sandbox.job import Limits, OutputColumn

MIB = 1024 * 1024
SIZES_MIB = (8, 128)
MOST_MIB = 24
"""At any size: a batch, a piece, and what Arrow's allocator keeps for itself."""
COLUMNS = (OutputColumn(name="i", type="BIGINT"), OutputColumn(name="t", type="VARCHAR"))
ROW_BYTES = 8 + 4 + 52


async def figures() -> list[dict[str, Any]]:
    """Peak memory above what it was before, at both sizes, while an answer is kept and given out in each form."""
    limits = Limits(max_rows=10**9, max_bytes=2 * SIZES_MIB[-1] * MIB, memory_bytes=2 << 30)
    pool = Pool(jails=1, threads=2, memory_bytes=2 << 30, queue=2)
    await pool.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            answers = Answers(Path(folder, "answers"), Keys(Path(folder, "keys")), runner=1)
            await _one(pool, answers, SIZES_MIB[0], limits)  # whatever is loaded once is loaded now
            small, large = [await _one(pool, answers, size, limits) for size in SIZES_MIB]
    finally:
        await pool.close()
    return [
        figure(f"broker memory above idle, answer of {size} MiB, {step}", peaks[step], "MiB", n=1, goal=MOST_MIB)
        for size, peaks in zip(SIZES_MIB, (small, large), strict=True)
        for step in peaks
    ]


async def _one(pool: Pool, answers: Answers, size_mib: int, limits: Limits) -> dict[str, float]:
    query_id, found = uuid.uuid4(), dict[str, float]()
    draft = answers.draft(query_id)
    sql = f"SELECT i, repeat('x', 40) || (1000000000000 + i) AS t FROM range({size_mib * MIB // ROW_BYTES}) r(i)"
    with _peak(found, "kept"):
        await pool.execute(sql, [], COLUMNS, limits, draft)
        kept = await asyncio.to_thread(draft.finish)
    draft.keep()
    for form in FORMS.values():
        with _peak(found, form.media_type.rpartition("/")[2]), answers.open(query_id, kept) as answer:
            await asyncio.to_thread(_read, form, answer)
    return found


def _read(form: Form, answer: Answer) -> None:
    for _piece in form.pieces(answer):
        pass


@contextmanager
def _peak(found: dict[str, float], step: str) -> Iterator[None]:
    """The most that this process held meanwhile, files in memory that it had mapped included."""
    before, most, over = _held_mib(), 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.is_set():
            most = max(most, _held_mib())
            time.sleep(0.002)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
        found[step] = max(0.1, most - before)


def _held_mib() -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024
