"""The sequencer: gives committed events their leaf, one batch and one signed checkpoint a transaction.

Only what is committed is seen (READ COMMITTED, after the lock), so order is that of visibility: a late commit
gets a later leaf, and neither gap nor loss can come of it. An advisory lock makes two sequencers take turns; a
kill at any instant leaves a whole batch or nothing. Then the checkpoint is published (`publishing.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg
from psycopg.errors import UniqueViolation
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.audit import tree
from marketplace.audit.leaf import ALONE, Leaf, Place, chain_key, leaf_data, link
from marketplace.audit.log_store import published_log
from marketplace.audit.note import sign_checkpoint, verifier_key
from marketplace.audit.published import PublishedBroken, shown_head
from marketplace.audit.publishing import KNOWN, LogRolledBack, publish, require_known
from marketplace.audit.refusing import WAIT_NO_MORE, ours, refuse_again
from marketplace.audit.registry import counted_names
from marketplace.audit.remembered import remembered_heads
from marketplace.audit.witnesses import ask_all
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.db.together import Statement, Unit
from marketplace.errors import Problem, Unavailable
from marketplace.verifier.note import Head
from marketplace.verifier.refusal import Refused

BATCH_EVENTS = 4096
DAMAGED_PAUSE_MS = 10_000
UNWRITTEN_PAUSE_MS = 1_000
REST = 9
"""Times as long as a round took it rests: few large ones leave disk and database to those who wait for answers."""
REST_MAX_MS = 400
"""Less than a second from a commit to its checkpoint."""
_LOCK = 0x5D1_10C
_log = logging.getLogger(__name__)


class LogDamaged(RuntimeError):
    """What is stored of the tree is not whole: a root made of it would be wrong."""


_ANY_PENDING = text("SELECT FROM pending_leaf LIMIT 1")
_TURN = text("SELECT pg_advisory_xact_lock(:lock)")
# One look-up an event. Left to a join, a planner without fresh statistics walks the whole log for three events.
_PENDING = text("""
    WITH waiting AS MATERIALIZED (
        SELECT event_id, tag FROM pending_leaf ORDER BY event_id LIMIT :batch
    ), batch AS (
        SELECT waiting.event_id AS id, waiting.tag, event.* FROM waiting LEFT JOIN LATERAL (
            SELECT CASE WHEN name = ANY(:counted) THEN dataset_id END AS dataset_id, commitment, at
            FROM event WHERE event.id = waiting.event_id LIMIT 1
        ) AS event ON true
    ), newest AS (
        SELECT named.dataset_id, leaf.dataset_counter, leaf.index
        FROM (SELECT DISTINCT dataset_id FROM batch WHERE dataset_id IS NOT NULL) AS named
        CROSS JOIN LATERAL (
            SELECT dataset_counter, index FROM audit_leaf WHERE audit_leaf.dataset_id = named.dataset_id
            ORDER BY dataset_counter DESC LIMIT 1
        ) AS leaf
    )
    SELECT id, dataset_id, commitment, tag, newest.dataset_counter AS last, newest.index AS last_index
    FROM batch LEFT JOIN newest USING (dataset_id) ORDER BY at, id
""")
_SIZE = text("SELECT coalesce(max(size), 0) AS size FROM checkpoint")
_LEAVES = text("""
    INSERT INTO audit_leaf (index, event_id, dataset_id, dataset_counter, dataset_previous, data)
    SELECT index, event_id, dataset_id, dataset_counter, dataset_previous, convert_to(data, 'UTF8')
    FROM json_to_recordset(CAST(:rows AS json)) AS leaf (
        index bigint, event_id uuid, dataset_id uuid, dataset_counter bigint, dataset_previous bigint, data text
    )
""")
_NODES = text("""
    INSERT INTO audit_node (level, index, hash)
    SELECT level, index, decode(hash, 'hex')
    FROM json_to_recordset(CAST(:rows AS json)) AS node (level bigint, index bigint, hash text)
""")
_CHECKPOINT = text("INSERT INTO checkpoint (size, root, note, at) VALUES (:size, :root, :note, now())")
_FRONTIER = text("""
    SELECT level, index, hash FROM audit_node
    JOIN unnest(CAST(:levels AS bigint[]), CAST(:indexes AS bigint[])) AS wanted (level, index)
    USING (level, index)
    ORDER BY level DESC
""")


async def sequence_once(database: Database, keys: Keys, config: Config) -> int:
    """Give every committed event its leaf, and publish; how many it were. Safe at any time, by many processes.

    Raises LogDamaged, LogRolledBack, PublishedBroken, OSError, DatabaseUnavailable."""
    log, key = published_log(config), verifier_key(config.log_origin, keys.log_signing())
    total, count = 0, BATCH_EVENTS
    while count == BATCH_EVENTS:
        shown = await asyncio.to_thread(shown_head, log, key)
        # What has its leaf is published while the next get theirs: one waits for the disk, one for the database.
        heads = (*((shown,) if shown else ()), *await asyncio.to_thread(remembered_heads, config, key))
        numbering = asyncio.create_task(_batch(database, keys, config, heads))
        try:
            await publish(database, log, key)
        finally:
            count = await numbering
        total += count
    if total:
        await publish(database, log, key)
    return total


async def run_sequencer(database: Database, keys: Keys, config: Config, stop: asyncio.Event) -> None:
    """Sequence every `sequencer_interval_ms`, under load less often; waits out a database that is away.

    A damaged log, or one that does not hold what was published or what a witness remembers, gets no more leaves:
    that is said again and again, and events wait until it is repaired. What cannot be written to the disk is
    published when it can.
    """
    try:
        await ask_all(config, verifier_key(config.log_origin, keys.log_signing()))
    except (Refused, OSError) as none:
        _log.critical("the witnesses of the log cannot be asked: %s", none)
    while not stop.is_set():
        pause_ms, began = config.sequencer_interval_ms, time.monotonic()
        try:
            if await sequence_once(database, keys, config):
                pause_ms = max(pause_ms, min(_rest_ms(began), REST_MAX_MS))
        except (LogDamaged, LogRolledBack, PublishedBroken) as e:
            _log.critical("%s", e)
            pause_ms = DAMAGED_PAUSE_MS
        except (Unavailable, DBAPIError, psycopg.Error) as e:
            _log.warning("the sequencer waits for the database: %s", type(e).__name__)
        except (OSError, Problem) as e:
            _log.critical("the log cannot be published: %s", e)
            pause_ms = UNWRITTEN_PAUSE_MS
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause_ms / 1000)


def _rest_ms(began: float) -> int:
    return round(REST * 1000 * (time.monotonic() - began))


async def _batch(database: Database, keys: Keys, config: Config, heads: Sequence[Head]) -> int:
    if await database.one(_ANY_PENDING, {}) is None:
        return 0
    try:
        return await _number(database, keys, config, heads)
    except UniqueViolation:
        if not await refuse_again(database):
            raise
        return 0


async def _number(database: Database, keys: Keys, config: Config, heads: Sequence[Head]) -> int:
    async with database.unit() as unit:
        _, events, ((size,),), *known = await unit.send(
            [
                Statement(_TURN, {"lock": _LOCK}),
                Statement(_PENDING, {"batch": BATCH_EVENTS, "counted": counted_names()}),
                Statement(_SIZE),
                *(Statement(KNOWN, {"size": head.size}) for head in heads),
            ]
        )
        for head, rows in zip(heads, known, strict=True):
            require_known(head, rows)
        events = await ours(unit, events, keys.event_tag())
        if not events:
            return 0
        leaves = _placed(events, size, keys.salt_key())
        data = [leaf_data(leaf) for leaf, _ in leaves]
        nodes, root = _grown(await _frontier(unit, size), size, [tree.leaf_hash(each) for each in data])
        note = sign_checkpoint(config.log_origin, keys.log_signing(), size + len(leaves), root)
        await unit.send(
            [
                Statement(_LEAVES, {"rows": _leaf_rows(size, events, leaves, data)}),
                Statement(WAIT_NO_MORE, {"ids": [event.id for event in events]}),
                Statement(_NODES, {"rows": nodes}),
                Statement(_CHECKPOINT, {"size": size + len(leaves), "root": root, "note": note}),
            ]
        )
        return len(leaves)


def _placed(events: Sequence[Any], size: int, salt_key: bytes) -> list[tuple[Leaf, Place | None]]:
    """Each event's leaf and its place; a dataset's chain goes on from its last leaf."""
    last = {
        each.dataset_id: None if each.last is None else Place(each.last, each.last_index)
        for each in events
        if each.dataset_id is not None
    }
    chains = {dataset_id: chain_key(salt_key, dataset_id) for dataset_id in last}
    placed: list[tuple[Leaf, Place | None]] = []
    for index, event in enumerate(events, size):
        if event.dataset_id is None:
            placed.append((Leaf(event.commitment.hex(), link(chain_key(salt_key, event.id), ALONE)), None))
            continue
        before = last[event.dataset_id]
        place = Place(before.n + 1, before.p) if before else ALONE
        last[event.dataset_id] = Place(place.n, index)
        placed.append((Leaf(event.commitment.hex(), link(chains[event.dataset_id], place)), place))
    return placed


def _leaf_rows(
    size: int, events: Sequence[Any], leaves: Sequence[tuple[Leaf, Place | None]], data: Sequence[bytes]
) -> str:
    rows = [
        {"index": index, "event_id": event.id, "dataset_id": event.dataset_id,
         "dataset_counter": place.n if place else None, "dataset_previous": place.p if place else None,
         "data": each.decode()}
        for index, (event, (_, place), each) in enumerate(zip(events, leaves, data, strict=True), size)
    ]  # fmt: skip
    return _json(rows)


async def _frontier(unit: Unit, size: int) -> list[bytes]:
    """Roots of the whole subtrees of a tree of `size` leaves, the largest first. Raises LogDamaged."""
    wanted = tree.range_nodes(0, size)
    levels, indexes = [level for level, _ in wanted], [index for _, index in wanted]
    (stored,) = await unit.send([Statement(_FRONTIER, {"levels": levels, "indexes": indexes})])
    if len(stored) != len(wanted):
        raise LogDamaged(f"the log lacks nodes of its tree of {size} leaves: run `sandulieu audit verify`")
    return [row.hash for row in stored]


def _grown(frontier: list[bytes], size: int, hashes: list[bytes]) -> tuple[str, bytes]:
    """The nodes that these leaves add, as JSON, and the new root."""
    nodes = list(tree.append(frontier, size, hashes))
    rows = [{"level": level, "index": index, "hash": each.hex()} for (level, index), each in nodes]
    return _json(rows), tree.fold(frontier)


def _json(rows: list[dict[str, Any]]) -> str:
    # One JSON text is read by PostgreSQL several times faster than the driver writes arrays.
    return msgspec.json.encode(rows).decode()
