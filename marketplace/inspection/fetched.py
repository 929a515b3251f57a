"""A log that is published elsewhere, checked as it is fetched: nothing of it is kept, on disk or in memory."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from marketplace.audit.disk import FILES_AT_ONCE
from marketplace.audit.published import PublishedLog, read_tile
from marketplace.audit.tiles import Tile, tile_path, width_at
from marketplace.verifier.folder import check_tiles
from marketplace.verifier.note import VerifierKey, open_checkpoint
from marketplace.verifier.refusal import Check, Refused
from marketplace.verifier.strict_json import utf8

AHEAD: Final = 16
"""Tiles of a level that are on their way while one is checked: 0.6 MB of entries, 0.1 MB of hashes."""


class FetchedTiles:
    """Of a log of `size` leaves. They are asked for in their order, and so the next ones are fetched meanwhile."""

    def __init__(self, log: PublishedLog, size: int, pool: ThreadPoolExecutor) -> None:
        self._log, self._size, self._pool = log, size, pool
        self._coming: dict[Tile, Future[bytes | None]] = {}

    def stored(self, kind: str, number: int, width: int, item_bytes: int) -> bytes:
        """Raises Refused, OSError."""
        level = None if kind == "entries" else int(kind)
        wanted = Tile(level, number, width)
        for index in range(number, number + AHEAD):
            tile = Tile(level, index, width_at(Tile(level, index, 0), self._size))
            if tile.width and tile not in self._coming:
                self._coming[tile] = self._pool.submit(read_tile, self._log, tile)
        coming = self._coming.pop(wanted, None)
        try:
            data = coming.result() if coming is not None else read_tile(self._log, wanted)
        except ValueError as wrong:  # a wider bundle that is none
            raise Refused("log.bundle", tile_path(wanted)) from wrong
        if data is None:
            raise Refused("log.missing", tile_path(wanted))
        if len(data) > width * item_bytes:
            raise Refused("form.size", width * item_bytes)
        return data


def check_fetched(log: PublishedLog, key: VerifierKey) -> tuple[Check, ...]:
    """As `verifier.folder.check_log` checks a folder. Of a forged head nothing is fetched. Raises OSError."""
    note = (log.checkpoint() or "").encode()
    try:
        size = open_checkpoint(utf8(note), key).size
    except Refused:
        size = 0  # which the check tells
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        return check_tiles(FetchedTiles(log, size, pool), note, key)
