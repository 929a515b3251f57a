"""A table that an owner sent in Arrow or Parquet, as lines of JSON: read in a jail, never here."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from catalog.errors import PublicationRefused
from catalog.intake import decode_reply
from catalog.limits import IngestLimits
from catalog.wire import RecordsOrder, RecordsReply
from sandbox.isolation.oneshot import run_once

MAGIC = (b"PAR1", b"ARROW1", b"\xff\xff\xff\xff")
"""Parquet; an Arrow file; an Arrow stream."""


def is_table(source: Path) -> bool:
    """Whether the file says of itself that it is Arrow or Parquet."""
    with source.open("rb") as file:
        return file.read(8).startswith(MAGIC)


def write_lines(source: Path, target: Path, *, columns: tuple[str, ...], limits: IngestLimits) -> int:
    """Write `target` with one JSON object a row, values as text; how many rows. Blocking.

    Whoever reads the lines must bound and check them: they are only what a stranger's file made of a jail.
    Raises PublicationRefused with the jail's code, or SandboxFailed.
    """
    order = RecordsOrder(
        columns=columns, max_rows=limits.max_rows, max_bytes=limits.max_bytes,
        max_row_group_bytes=limits.max_row_group_bytes,
    )  # fmt: skip
    with source.open("rb") as file, target.open("xb") as out:
        done = run_once(
            "catalog.jailed.records:main",
            msgspec.msgpack.encode(order),
            [file.fileno()],
            consume=lambda stream: shutil.copyfileobj(stream, out),
            deadline_ms=limits.deadline_ms,
            memory_bytes=limits.memory_bytes,
            max_output_bytes=limits.max_output_bytes,
            threads=limits.threads,
        )
    reply = decode_reply(done.reply, RecordsReply)
    if reply.refusal is not None:
        raise PublicationRefused(reply.refusal.code, **reply.refusal.params)
    return reply.rows
