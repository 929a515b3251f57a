"""Keeps the index of the log: each full block of leaves is read once and gets its postings, in one transaction.

Nothing is written while an event is: what waits for its block is searched row by row, and that is always little.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.db.engine import Database
from marketplace.db.together import Statement
from marketplace.errors import Unavailable
from marketplace.oversight.described import COLUMNS, JOINS, described
from marketplace.oversight.postings import BLOCK_EVENTS, encode

_LOCK = 0x5D1_5EA
logger = logging.getLogger(__name__)

_NEXT = "(SELECT coalesce(max(block), -1) + 1 FROM search_block)"
_FULL = text(f"""
    SELECT next.block FROM (SELECT {_NEXT} AS block) AS next
    JOIN audit_leaf ON audit_leaf.index = (next.block + 1) * {BLOCK_EVENTS} - 1
""")
_TURN = text("SELECT pg_advisory_xact_lock(:lock)")
# One look-up an event, as in the sequencer: a planner without fresh statistics would read the whole log.
_EVENTS = text(f"""
    SELECT leaf.index % {BLOCK_EVENTS} AS place, {COLUMNS}
    FROM audit_leaf AS leaf
    CROSS JOIN LATERAL (SELECT * FROM event WHERE event.id = leaf.event_id LIMIT 1) AS event {JOINS}
    WHERE leaf.index >= CAST(:block AS bigint) * {BLOCK_EVENTS}
        AND leaf.index < (CAST(:block AS bigint) + 1) * {BLOCK_EVENTS}
""")
_NEW_TERMS = text("""
    INSERT INTO search_term (term)
    SELECT term FROM unnest(CAST(:terms AS text[])) AS found (term)
    WHERE NOT EXISTS (SELECT FROM search_term WHERE search_term.term = found.term)
""")
_POSTINGS = text("""
    INSERT INTO search_posting (term_id, block, positions)
    SELECT search_term.id, :block, decode(found.positions, 'hex')
    FROM json_to_recordset(CAST(:rows AS json)) AS found (term text, positions text)
    JOIN search_term ON search_term.term = found.term
    ORDER BY search_term.id
""")
_BLOCK = text("INSERT INTO search_block (block, earliest, latest) VALUES (:block, :earliest, :latest)")


async def index_once(database: Database) -> int:
    """Index every full block that is not yet; how many. Safe at any time, by any number of processes."""
    blocks = 0
    while await _index_block(database):
        blocks += 1
    return blocks


async def run_indexer(database: Database, interval_ms: int, stop: asyncio.Event) -> None:
    """Index every `interval_ms` until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await index_once(database)
        except (Unavailable, DBAPIError, psycopg.Error) as away:
            logger.warning("the index of the log waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_ms / 1000)


async def _index_block(database: Database) -> bool:
    if await database.one(_FULL, {}) is None:
        return False
    async with database.unit() as unit:
        _, full = await unit.send([Statement(_TURN, {"lock": _LOCK}), Statement(_FULL)])
        if not full:  # another process was here while we waited for our turn
            return True
        block = full[0].block
        (events,) = await unit.send([Statement(_EVENTS, {"block": block})])
        if len(events) != BLOCK_EVENTS:
            logger.critical("block %d of the log is not whole: run `sandulieu audit verify`", block)
            return False
        offsets = _offsets(events)
        rows = [{"term": term, "positions": encode(found).hex()} for term, found in offsets.items()]
        await unit.send(
            [
                Statement(_NEW_TERMS, {"terms": sorted(offsets)}),
                Statement(_POSTINGS, {"block": block, "rows": msgspec.json.encode(rows).decode()}),
                Statement(_BLOCK, {"block": block, "earliest": min(each.at for each in events),
                                   "latest": max(each.at for each in events)}),
            ]
        )  # fmt: skip
    return True


def _offsets(events: Sequence[Any]) -> dict[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for event in events:
        for term in described(event):
            found[term].append(event.place)
    return found
