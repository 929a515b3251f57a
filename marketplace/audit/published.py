"""What the public sees of the log: tiles, entry bundles and a checkpoint, as files of a C2SP tlog-tiles log.

A port: a folder below the home by default (`disk.py`). Whatever stands behind it, a checkpoint is shown only when
every tile below it would outlive a power cut.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from marketplace.audit.tiles import WIDTH, Tile, first_of, tile_path, width_at
from marketplace.verifier.note import Head, VerifierKey, open_checkpoint
from marketplace.verifier.refusal import Refused


class PublisherBusy(Exception):
    """Somebody else writes to this log now."""


class Writing(Protocol):
    """Held by one at a time. Raises OSError where something could not be made durable."""

    def still(self) -> bool:
        """Whether the checkpoint is the one that was seen when writing began, looked at anew."""

    def put(self, files: Mapping[str, bytes]) -> None:
        """Each is whole and durable below `tile/` when this returns; again with the same bytes is harmless."""

    def show(self, note: str) -> None:
        """The checkpoint from now on: readers see it or the one before, whatever happens meanwhile."""

    def drop(self, folders: Collection[str]) -> None:
        """Partial tiles that a full one has replaced; what cannot be removed stays."""


class PublishedLog(Protocol):
    """What was published, and the way to publish more."""

    def checkpoint(self) -> str | None:
        """The note that is shown; None before the first."""

    def read(self, path: str) -> bytes | None:
        """A file below `tile/`; None where there is none."""

    def writing(self) -> AbstractContextManager[Writing]:
        """Alone until the end of the context. Raises PublisherBusy, OSError."""


class PublishedBroken(RuntimeError):
    """The checkpoint that is shown is not one of this log's key, or none at all."""


def shown_head(log: PublishedLog, key: VerifierKey) -> Head | None:
    """What the shown checkpoint says; None before the first. Raises PublishedBroken, OSError."""
    note = log.checkpoint()
    try:
        return None if note is None else open_checkpoint(note, key)
    except Refused as refused:
        raise PublishedBroken(f"the published checkpoint is not this log's: {refused}") from refused


def shown_size(note: str | None) -> int:
    """How many leaves a note of our own is about; 0 for none. Raises PublishedBroken."""
    try:
        return 0 if note is None else int(note.split("\n", 2)[1])
    except (IndexError, ValueError) as wrong:
        raise PublishedBroken("the published checkpoint is no checkpoint") from wrong


def read_tile(log: PublishedLog, tile: Tile) -> bytes | None:
    """The tile's bytes, if need be out of a wider one; None where the published log is not so long."""
    present = width_at(tile, shown_size(log.checkpoint()))
    if tile.width > present:
        return None
    data = log.read(tile_path(tile))
    for wider in (present, WIDTH):
        if data is None:
            wide = log.read(tile_path(Tile(tile.level, tile.index, wider)))
            data = None if wide is None else first_of(wide, tile)
    return data
