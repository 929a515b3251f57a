"""What the index answers: the leaves that every group of terms stands in, newest first."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.oversight.postings import BLOCK_EVENTS, EVERY, decode, newest_first
from marketplace.oversight.search import Group

FIRST_BLOCKS = 32
MOST_BLOCKS = 4096

_INDEXED = text("SELECT coalesce(max(block), -1) + 1 FROM search_block")
_BETWEEN = text("""
    SELECT min(block), max(block) FROM search_block
    WHERE latest >= coalesce(CAST(:since AS timestamptz), '-infinity')
        AND earliest < coalesce(CAST(:until AS timestamptz), 'infinity')
""")
_NAMED = text("SELECT id FROM search_term WHERE term = ANY(:terms)")
_BEGINNING = text("""
    SELECT id FROM search_term WHERE term COLLATE "C" >= :prefix AND term COLLATE "C" < :prefix || chr(1114111)
""")
# Thousands of rows of a frequent term come as a few, one for each length of a posting: its blocks and positions.
_POSTINGS = """
    SELECT octet_length(positions) AS length,
        string_agg(int4send(CAST(block AS int)) || positions, CAST('' AS bytea)) AS postings
    FROM search_posting WHERE term_id = ANY(:ids) AND {blocks} GROUP BY length
"""
_IN_WINDOW = text(_POSTINGS.format(blocks="block >= :low AND block < :high"))
_IN_BLOCKS = text(_POSTINGS.format(blocks="block = ANY(:blocks)"))
_MOST = 0.75
"""Of a window's blocks: where more are left, asking for each by itself costs more than reading all."""


async def indexed(session: AsyncSession) -> int:
    """How many leaves the index knows."""
    blocks: int = await session.scalar(_INDEXED) or 0
    return blocks * BLOCK_EVENTS


async def leaves(
    session: AsyncSession,
    groups: Sequence[Group],
    *,
    below: int,
    since: datetime | None = None,
    until: datetime | None = None,
) -> AsyncIterator[int]:
    """Leaves below `below` in which all groups hold, newest first, of blocks that reach into the time asked for.

    Blocks are looked at in windows that grow: a frequent term is found in the first, a rare one in few reads."""
    ids = [await _ids(session, group) for group in groups]
    first, last = (await session.execute(_BETWEEN, {"since": since, "until": until})).one()
    if first is None or not all(ids):
        return
    high = min(last + 1, -(-below // BLOCK_EVENTS))
    window = FIRST_BLOCKS
    while high > first:
        low = max(first, high - window)
        found = await _window(session, sorted(ids, key=len), low, high)
        for block in sorted(found, reverse=True):
            for offset in newest_first(found[block]):
                leaf = block * BLOCK_EVENTS + offset
                if leaf < below:
                    yield leaf
        high, window = low, min(window * 8, MOST_BLOCKS)


async def _ids(session: AsyncSession, group: Group) -> list[int]:
    if group.prefix is not None:
        return list(await session.scalars(_BEGINNING, {"prefix": group.prefix}))
    return list(await session.scalars(_NAMED, {"terms": list(group.terms)}))


async def _window(session: AsyncSession, groups: Sequence[Sequence[int]], low: int, high: int) -> dict[int, int]:
    """block -> bits of the leaves in all groups; blocks without any are left out."""
    kept: dict[int, int] | None = None
    for ids in groups:
        if kept is None or len(kept) > _MOST * (high - low):
            rows = await session.execute(_IN_WINDOW, {"ids": list(ids), "low": low, "high": high})
        else:
            rows = await session.execute(_IN_BLOCKS, {"ids": list(ids), "blocks": list(kept)})
        stands: dict[int, int] = {}
        for length, postings in rows:
            for block, positions in struct.iter_unpack(f">i{length}s", postings):
                stands[block] = stands.get(block, 0) | decode(positions)
        kept = (
            stands if kept is None else {b: both for b, bits in kept.items() if (both := bits & stands.get(b, 0))}
        )
        if not kept:
            return {}
    return dict.fromkeys(range(low, high), EVERY) if kept is None else kept
