"""Personal data in an owner's file: found in a jail, told without a cell of it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from catalog.errors import PublicationRefused
from catalog.intake import decode_reply, opened
from catalog.limits import IngestLimits
from catalog.manifest import Manifest, ManifestColumn
from catalog.pii.libraries import libraries
from catalog.pii.order import Detected, ScanOrder
from catalog.wire import FileScan, ScanReply
from sandbox.isolation.oneshot import run_once

_COUNTED = ("count", "distinct", "sum")
"""Of events: what is shown then is a number of ours, not a value of the file."""


def detect(source: Path, order: ScanOrder | None = None, *, limits: IngestLimits | None = None) -> Detected:
    """Scan a file or a folder of them: by default every column, none of which is taken to be plain. Blocking.

    Raises PublicationRefused with the jail's code, or SandboxFailed.
    """
    bounds = limits or IngestLimits()
    scan = FileScan(
        order=order or ScanOrder(year=present_year()), max_rows=bounds.max_rows, max_bytes=bounds.max_bytes,
        max_row_group_bytes=bounds.max_row_group_bytes,
    )  # fmt: skip
    with opened(source) as descriptors:
        done = run_once(
            "catalog.jailed.scan:main",
            msgspec.msgpack.encode(scan),
            descriptors,
            consume=lambda stream: stream.read(1),
            deadline_ms=bounds.deadline_ms,
            memory_bytes=bounds.memory_bytes,
            max_output_bytes=1024,
            threads=bounds.threads,
            extra=libraries(),
        )
    reply = decode_reply(done.reply, ScanReply)
    if reply.refusal is not None:
        params = dict(reply.refusal.params)
        if names := params.pop("names", None):
            params["columns"] = ", ".join(map(str, names))
        raise PublicationRefused(reply.refusal.code, **params)
    if reply.detected is None:
        raise PublicationRefused("ingest.unreadable")
    return reply.detected


def present_year() -> int:
    return datetime.datetime.now(datetime.UTC).year


def scan_order(manifest: Manifest) -> ScanOrder:
    """What a manifest asks of a scan: the columns that it publishes, and of these the plain ones."""
    shown = sources(manifest)
    return ScanOrder(
        year=present_year(), columns=tuple(shown), key=manifest.subject_key,
        plain=tuple(name for name, columns in shown.items() if any(is_plain(manifest, c) for c in columns)),
        null_words=manifest.null_words,
    )  # fmt: skip


def sources(manifest: Manifest) -> Mapping[str, Sequence[ManifestColumn]]:
    """Column of the file → those of the manifest that show its values."""
    found: dict[str, list[ManifestColumn]] = {}
    for column in manifest.columns_of("quasi-identifier", "sensitive", "measure"):
        event = manifest.events.get(column.name)
        if event is None:
            found.setdefault(column.name, []).append(column)
        elif event.of is not None and event.take not in _COUNTED:
            found.setdefault(event.of, []).append(column)
    return found


def is_plain(manifest: Manifest, column: ManifestColumn) -> bool:
    """Whether its values leave as they are, record by record, and no class guards them: what `rows` shows besides
    the quasi-identifiers. Sums and noise single nobody out."""
    return manifest.mode == "rows" and column.role == "sensitive" and column.transform is None
