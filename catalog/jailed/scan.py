"""Runs in a jail: a file is scanned for personal data, by itself or while it is read for publication.

Counts, confidences and masked examples leave, no cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import msgspec

from catalog.jailed.cells import written
from catalog.jailed.ingest import ingest
from catalog.jailed.loaded import LOADED
from catalog.jailed.opening import open_sources, source_names
from catalog.jailed.refused import Refused
from catalog.pii.order import Detected
from catalog.pii.scanning import Scanner
from catalog.wire import FileScan, IngestColumn, IngestOrder, IngestReply, ScanReply

assert LOADED  # imported for what importing it does


def main(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """Read the inputs as the FileScan says; nothing is written. Returns a ScanReply."""
    scan = msgspec.msgpack.decode(payload, type=FileScan)
    try:
        reply = ScanReply(detected=_scanned(scan, inputs))
    except Refused as refused:
        reply = ScanReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def read(payload: bytes, inputs: Sequence[int], output: BinaryIO) -> bytes:
    """As `catalog.jailed.ingest.main`, and what `order.scan` asks is found in the same pass."""
    order = msgspec.msgpack.decode(payload, type=IngestOrder)
    assert order.scan is not None
    scanner = Scanner(order.scan, source_names(order), written)
    try:
        reply = ingest(order, inputs, output, scanner.take)
        reply = msgspec.structs.replace(reply, detected=scanner.detected())
    except Refused as refused:
        reply = IngestReply(refusal=refused.refusal)
    return msgspec.msgpack.encode(reply)


def _scanned(scan: FileScan, inputs: Sequence[int]) -> Detected:
    order = scan.order
    names = [*order.columns, *([order.key] if order.columns and order.key else [])]
    asked = IngestOrder(
        columns=tuple(IngestColumn(name=n, type="VARCHAR", line=0) for n in dict.fromkeys(names)),
        null_words=(),
        max_rows=scan.max_rows, max_bytes=scan.max_bytes, max_row_group_bytes=scan.max_row_group_bytes,
        nameless=not order.columns,
    )  # fmt: skip
    scanner: Scanner | None = None
    for source in open_sources(asked, inputs):
        scanner = scanner or Scanner(order, list(source.wanted), written)
        for batch in source.batches():
            scanner.take(batch)
            if scanner.rows > scan.max_rows:
                raise Refused("ingest.too_many_rows", max_rows=scan.max_rows)
    if scanner is None or not scanner.rows:
        raise Refused("ingest.no_rows")
    return scanner.detected()
