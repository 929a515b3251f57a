"""Has a suite judged in a jail of its own, over what an owner's file became before anything was made coarser."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalog.asking import ask_of_files
from catalog.errors import PublicationRefused
from catalog.limits import IngestLimits
from catalog.quality.report import QualityReport, report
from catalog.quality.suite import Suite
from catalog.quality.wire import CheckedColumn, Judge, QualityOrder, QualityReply
from sandbox.isolation.runtime import Bind


def check(
    files: Sequence[Path], columns: Sequence[CheckedColumn], suite: Suite, *, limits: IngestLimits,
    expectations: tuple[Bind, ...] | None = None,
) -> QualityReport:  # fmt: skip
    """Judge `suite` over Parquet files, or over one Arrow IPC stream (`*.arrow`), with these columns. Blocking.

    `expectations`: what a jail must see of Great Expectations; None: our own counts alone judge.
    Raises PublicationRefused if the files cannot be read, SandboxFailed.
    """
    judge: Judge = "own" if expectations is None else "great_expectations"
    order = QualityOrder(
        columns=tuple(columns), expectations=suite.expectations, judge=judge,
        source="arrow" if files[0].suffix == ".arrow" else "parquet",
        memory_bytes=limits.memory_bytes, threads=limits.threads,
    )  # fmt: skip
    entry = "catalog.jailed.quality:main" if expectations is None else "catalog.jailed.expectations:main"
    reply = ask_of_files(entry, order, files, QualityReply, limits, extra=expectations or ())
    if reply.fault or len(reply.counted) != len(suite.expectations):
        raise PublicationRefused("quality.unreadable")
    return report(suite.name, reply.rows, judge, suite.expectations, reply.counted)
