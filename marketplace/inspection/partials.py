"""Partial tiles that are there still beside a wider one: whoever holds an older checkpoint is served these.

In a folder each is read. In a store elsewhere those of the last tile of each level are asked for by name; of a
full tile C2SP lets readers take that in place of its partial ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from marketplace.audit.disk import FILES_AT_ONCE, DiskLog
from marketplace.audit.published import PublishedLog, read_tile, shown_size
from marketplace.audit.tiles import HEIGHT, WIDTH, Tile, first_of, parse_tile, tile_path, width_at
from marketplace.verifier.refusal import Check, Refused, checked


def check_partials(log: PublishedLog, folder: Path) -> tuple[Check, ...]:
    """Those that are not what the tile over them begins with, which was checked. `folder`: of a log on disk."""
    size = shown_size(log.checkpoint())
    tiles = in_folder(folder / "tile", size) if isinstance(log, DiskLog) else of_last(size)
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        checks = pool.map(lambda tile: checked("partials", _begins, log, size, tile), tiles)
        return tuple(check for check in checks if not check.ok)


def in_folder(folder: Path, size: int) -> Iterator[Tile]:
    """All that lie there and that a checkpoint of up to `size` leaves spoke of."""
    for path in folder.rglob("*.p/*"):
        tile = parse_tile(path.relative_to(folder).as_posix())
        if tile is not None and tile.width < width_at(tile, size):
            yield tile


def of_last(size: int) -> Iterator[Tile]:
    """All that may be there of the tiles that are not full."""
    level, left = 0, size
    while left:
        for width in range(1, left % WIDTH):
            yield Tile(level, left // WIDTH, width)
            if level == 0:
                yield Tile(None, left // WIDTH, width)
        level, left = level + 1, left >> HEIGHT


def _begins(log: PublishedLog, size: int, tile: Tile) -> str:
    """What the wider tile begins with is what the partial one is, if it is there. Raises Refused, OSError."""
    name = tile_path(tile)
    data = log.read(name)
    if data is not None:
        wide = read_tile(log, Tile(tile.level, tile.index, width_at(tile, size)))
        if wide is None or first_of(wide, tile) != data:
            raise Refused("log.tile", name)
    return name
