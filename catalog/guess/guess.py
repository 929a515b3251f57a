"""A file that nobody has described, looked at in a jail: what its columns may be, and a manifest that says so."""

from __future__ import annotations

from pathlib import Path

import msgspec

from catalog.errors import PublicationRefused
from catalog.guess.told import GuessReply
from catalog.intake import decode_reply, opened
from catalog.limits import IngestLimits
from catalog.pii.detect import present_year
from catalog.pii.libraries import libraries
from catalog.pii.order import ScanOrder
from catalog.reading import Reading
from catalog.wire import IngestOrder
from sandbox.isolation.oneshot import run_once

NULL_WORDS = ("", "?", "NA", "N/A", "NULL", "null")


def guess(source: Path, *, limits: IngestLimits, reading: Reading | None = None) -> GuessReply:
    """Of the first rows of a file or folder; `reading`: what is known of it. Blocking.

    Raises PublicationRefused, SandboxFailed.
    """
    order = IngestOrder(
        columns=(), null_words=NULL_WORDS, max_rows=limits.max_rows, max_bytes=limits.max_bytes,
        max_row_group_bytes=limits.max_row_group_bytes, scan=ScanOrder(year=present_year(), sample_rows=1_000),
        reading=reading or Reading(),
    )  # fmt: skip
    with opened(source) as descriptors:
        done = run_once(
            "catalog.jailed.guessing:main",
            msgspec.msgpack.encode(order),
            descriptors,
            consume=lambda stream: stream.read(1),
            deadline_ms=limits.deadline_ms,
            memory_bytes=limits.memory_bytes,
            max_output_bytes=1024,
            threads=limits.threads,
            extra=libraries(),
        )
    reply = decode_reply(done.reply, GuessReply)
    if reply.refusal is not None:
        raise PublicationRefused(reply.refusal.code, **reply.refusal.params)
    return reply
