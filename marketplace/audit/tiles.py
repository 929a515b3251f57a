"""The public face of the tree: C2SP tlog-tiles. Hashes and leaf data only, nothing that names anybody."""

from __future__ import annotations

import re

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

WIDTH = 256
HEIGHT = 8
_PATH = re.compile(
    r"(?P<level>entries|0|[1-9]\d?)/(?P<index>(?!x000)(?:x\d{3}/){0,5}\d{3})(?:\.p/(?P<width>[1-9]\d{0,2}))?",
    re.ASCII,
)
_ENTRIES = text("SELECT data FROM audit_leaf WHERE index >= :start AND index < :end ORDER BY index")
_HASHES = text("""
    SELECT hash FROM audit_node WHERE level = :level AND index >= :start AND index < :end ORDER BY index
""")


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


async def read_tile(session: AsyncSession, tile: Tile) -> bytes | None:
    """The tile's bytes; None where the log is not so long yet."""
    start = tile.index * WIDTH
    span = {"start": start, "end": start + tile.width}
    if tile.level is None:
        found = [len(data).to_bytes(2, "big") + data for data in await session.scalars(_ENTRIES, span)]
    else:
        found = list(await session.scalars(_HASHES, span | {"level": tile.level * HEIGHT}))
    return b"".join(found) if len(found) == tile.width else None
