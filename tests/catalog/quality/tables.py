"""Tables for suites: written as the first jail writes persons, judged in this process or in a jail."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

from catalog.jailed import quality
from catalog.jailed.table import connect
from catalog.limits import IngestLimits
from catalog.quality.check import check
from catalog.quality.report import QualityReport
from catalog.quality.suite import Expectation, Suite
from catalog.quality.wire import CheckedColumn, Counted, QualityOrder
from sandbox.isolation.runtime import Bind

LIMITS = IngestLimits(deadline_ms=60_000, memory_bytes=512 * 1024**2)
TYPES = {
    "VARCHAR": pa.string(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DATE": pa.date32(),
}
Cells = dict[str, tuple[str, list[Any]]]
"""Name → type and values."""


def expect(kind: str, axis: str = "clean", critical: bool = False, **arguments: Any) -> Expectation:
    """As a suite's file says it, without the `expect_`."""
    told = {"type": f"expect_{kind}", "kwargs": arguments, "meta": {"axis": axis, "critical": critical}}
    return msgspec.convert(told, Expectation)


def write(path: Path, cells: Cells) -> Path:
    """As an Arrow IPC stream."""
    table = pa.table({name: pa.array(values, TYPES[kind]) for name, (kind, values) in cells.items()})
    with pa.ipc.new_stream(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=1_000)
    return path


def columns_of(cells: Cells) -> tuple[CheckedColumn, ...]:
    return tuple(CheckedColumn(name=name, type=kind) for name, (kind, _) in cells.items())


def count_here(path: Path, cells: Cells, expected: Sequence[Expectation]) -> tuple[Counted, ...]:
    """What the jail's code counts, without the jail."""
    write(path, cells)
    order = QualityOrder(
        columns=columns_of(cells), expectations=tuple(expected), source="arrow", judge="own",
        memory_bytes=LIMITS.memory_bytes, threads=1,
    )  # fmt: skip
    with path.open("rb") as file, connect() as connection:
        return quality.judge(connection, order, [file.fileno()]).counted


def check_in_jail(
    path: Path, cells: Cells, expected: Sequence[Expectation], expectations: tuple[Bind, ...] | None = None
) -> QualityReport:
    """Judged in a jail."""
    suite = Suite(name="suite", expectations=tuple(expected))
    return check([write(path, cells)], columns_of(cells), suite, limits=LIMITS, expectations=expectations)
