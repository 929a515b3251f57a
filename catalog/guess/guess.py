"""A file that nobody has described, looked at in a jail: what its columns may be, and a manifest that says so."""

from __future__ import annotations

from pathlib import Path

from catalog.asking import ask
from catalog.errors import PublicationRefused
from catalog.guess.told import GuessReply
from catalog.intake import opened
from catalog.limits import IngestLimits
from catalog.pii.detect import present_year
from catalog.pii.libraries import libraries
from catalog.pii.order import ScanOrder
from catalog.reading import Reading
from catalog.wire import IngestOrder

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
        reply = ask("catalog.jailed.guessing:main", order, descriptors, GuessReply, limits, extra=libraries())
    if reply.refusal is not None:
        raise PublicationRefused(reply.refusal.code, **reply.refusal.params)
    return reply
