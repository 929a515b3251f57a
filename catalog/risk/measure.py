"""How anonymous Parquet files are, measured in a jail: the face of this package."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec

from catalog.errors import PublicationRefused
from catalog.intake import decode_reply
from catalog.limits import IngestLimits
from catalog.risk.figures import Risk, RiskOrder, RiskReply
from sandbox.isolation.oneshot import run_once


def measure(
    files: Sequence[Path], *, quasi_identifiers: Sequence[str], sensitive: Sequence[str] = (),
    population: Path | None = None, counted: str = "n", limits: IngestLimits | None = None,
) -> Risk:  # fmt: skip
    """Every measure of the files as one table. Blocking.

    `population`: a Parquet file with the quasi-identifiers and, in the column `counted`, how many persons of the
    whole population are alike in them. Raises PublicationRefused (`publication.risk_unmeasured`), SandboxFailed.
    """
    limits = limits or IngestLimits()
    order = RiskOrder(
        quasi_identifiers=tuple(quasi_identifiers), sensitive=tuple(sensitive), files=len(files),
        counted=counted if population is not None else "",
    )  # fmt: skip
    with ExitStack() as stack:
        opened = [stack.enter_context(path.open("rb")) for path in (*files, *([population] if population else []))]
        done = run_once(
            "catalog.jailed.risk:main",
            msgspec.msgpack.encode(order),
            [file.fileno() for file in opened],
            consume=lambda stream: stream.read(1),
            deadline_ms=limits.deadline_ms,
            memory_bytes=limits.memory_bytes,
            max_output_bytes=1024,
            threads=limits.threads,
        )
    reply = decode_reply(done.reply, RiskReply)
    if reply.risk is None:
        raise PublicationRefused("publication.risk_unmeasured", fault=reply.fault)
    return reply.risk
