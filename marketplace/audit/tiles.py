"""The public face of the tree: C2SP tlog-tiles. Hashes and leaf data only, nothing that names anybody."""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct

WIDTH = 256
HEIGHT = 8
HASH_BYTES = 32
_PATH = re.compile(
    r"(?P<level>entries|0|[1-9]\d?)/(?P<index>(?!x000)(?:x\d{3}/){0,5}\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?",
    re.ASCII,
)


class Tile(Struct, frozen=True):
    """Which tile: `level` None is an entry bundle; `width` 256 is a full one, which never changes again."""

    level: int | None
    index: int
    width: int


def parse_tile(path: str) -> Tile | None:
    """The tile behind `<level>/<index>[.p/<width>]`; None for anything else, other spellings included."""
    match = _PATH.fullmatch(path)
    if match is None or int(match["width"] or 1) >= WIDTH:
        return None
    level = None if match["level"] == "entries" else int(match["level"])
    if level is not None and level * HEIGHT > 62:
        return None
    index = int(match["index"].replace("/", "").replace("x", ""))
    return Tile(level, index, int(match["width"] or WIDTH))


def tile_path(tile: Tile) -> str:
    """`<level>/<index>[.p/<width>]`: the inverse of parse_tile."""
    groups = f"{tile.index % 1000:03}"
    rest = tile.index // 1000
    while rest:
        groups, rest = f"x{rest % 1000:03}/{groups}", rest // 1000
    partial = "" if tile.width == WIDTH else f".p/{tile.width}"
    return f"{'entries' if tile.level is None else tile.level}/{groups}{partial}"


def width_at(tile: Tile, size: int) -> int:
    """How wide the tile of this level and index is in a log of `size` leaves; 0: it is not there."""
    return max(0, min(WIDTH, (size >> (tile.level or 0) * HEIGHT) - tile.index * WIDTH))


def tiles_of(size: int, *, since: int = 0) -> list[Tile]:
    """Every tile and entry bundle of a log of `size` leaves that one of `since` leaves does not have."""
    found = []
    levels: list[int | None] = [None, *range((max(size, 1).bit_length() - 1) // HEIGHT + 1)]
    for level in levels:
        shift = (level or 0) * HEIGHT
        before, after = since >> shift, size >> shift
        first, last = before // WIDTH, -(-after // WIDTH)
        if before < after:
            found += [Tile(level, index, min(WIDTH, after - index * WIDTH)) for index in range(first, last)]
    return found


def bundle(leaves: Iterable[bytes]) -> bytes:
    """An entry bundle: each leaf's data with its length before it, two bytes, big-endian."""
    return b"".join(len(data).to_bytes(2, "big") + data for data in leaves)


def entries_of(data: bytes) -> list[bytes]:
    """The leaves of an entry bundle. Raises ValueError where it is not whole."""
    found, at = [], 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        found.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    if at != len(data):
        raise ValueError("an entry bundle is not whole")
    return found


def first_of(wide: bytes, tile: Tile) -> bytes:
    """What the tile is, out of a wider one of the same level and index."""
    if tile.level is None:
        return bundle(entries_of(wide)[: tile.width])
    return wide[: tile.width * HASH_BYTES]
