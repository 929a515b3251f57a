"""Has a suite judged in a jail of its own, over what an owner's file became before anything was made coarser."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from catalog.errors import PublicationRefused
from catalog.intake import decode_reply
from catalog.limits import IngestLimits
from catalog.quality.report import QualityReport, report
from catalog.quality.suite import Suite
from catalog.quality.wire import CheckedColumn, Judge, QualityOrder, QualityReply
from sandbox.isolation.oneshot import run_once
from sandbox.isolation.runtime import Bind

_MAX_OUTPUT_BYTES = 1024


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
    with ExitStack() as stack:
        done = run_once(
            "catalog.jailed.quality:main" if expectations is None else "catalog.jailed.expectations:main",
            msgspec.msgpack.encode(order),
            [stack.enter_context(path.open("rb")).fileno() for path in files],
            consume=lambda stream: stream.read(1),
            deadline_ms=limits.deadline_ms,
            memory_bytes=limits.memory_bytes,
            max_output_bytes=_MAX_OUTPUT_BYTES,
            threads=limits.threads,
            extra=expectations or (),
        )
    reply = decode_reply(done.reply, QualityReply)
    if reply.fault or len(reply.counted) != len(suite.expectations):
        raise PublicationRefused("quality.unreadable")
    return report(suite.name, reply.rows, judge, suite.expectations, reply.counted)
