"""The sequencer: gives committed events their leaf, one batch and one signed checkpoint a transaction.

Only what is committed is seen (READ COMMITTED, after the lock), so order is that of visibility: a late commit
gets a later leaf, and neither gap nor loss can come of it. An advisory lock makes two sequencers take turns; a
kill at any instant leaves a whole batch or nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any, Protocol
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit import tree
from marketplace.audit.leaf import Leaf, dataset_tag, leaf_data
from marketplace.audit.note import sign_checkpoint
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Unavailable

BATCH_EVENTS = 4096
DAMAGED_PAUSE_MS = 10_000
_LOCK = 0x5D1_10C
_log = logging.getLogger(__name__)


class LogDamaged(RuntimeError):
    """What is stored of the tree is not whole: a root made of it would be wrong."""


class LogKeys(Protocol):
    """The part of `db.keys.Keys` that the log needs."""

    def log_signing(self) -> Ed25519PrivateKey:
        """Signs checkpoints."""

    def salt_key(self) -> bytes:
        """Hides dataset ids in leaves."""


_PENDING = text("""
    SELECT event.id, event.dataset_id, event.commitment
    FROM pending_leaf JOIN event ON event.id = pending_leaf.event_id ORDER BY event.at, event.id LIMIT :batch
""")
_COUNTERS = text("""
    SELECT id, (SELECT max(dataset_counter) FROM audit_leaf WHERE dataset_id = id)
    FROM unnest(CAST(:ids AS uuid[])) AS dataset (id)
""")
_LEAVES = text("""
    INSERT INTO audit_leaf (index, event_id, dataset_id, dataset_counter, data)
    SELECT index, event_id, dataset_id, dataset_counter, convert_to(data, 'UTF8')
    FROM json_to_recordset(CAST(:rows AS json))
        AS leaf (index bigint, event_id uuid, dataset_id uuid, dataset_counter bigint, data text)
""")
_NODES = text("""
    INSERT INTO audit_node (level, index, hash)
    SELECT level, index, decode(hash, 'hex')
    FROM json_to_recordset(CAST(:rows AS json)) AS node (level bigint, index bigint, hash text)
""")
_FRONTIER = text("""
    SELECT level, index, hash FROM audit_node
    JOIN unnest(CAST(:levels AS bigint[]), CAST(:indexes AS bigint[])) AS wanted (level, index)
    USING (level, index)
    ORDER BY level DESC
""")


async def sequence_once(database: Database, keys: LogKeys, config: Config) -> int:
    """Give every committed event its leaf; how many it were. Safe at any time, by any number of processes."""
    total = 0
    while count := await _batch(database, keys, config):
        total += count
        if count < BATCH_EVENTS:
            break
    return total


async def run_sequencer(database: Database, keys: LogKeys, config: Config, stop: asyncio.Event) -> None:
    """Sequence every `sequencer_interval_ms` until `stop`; waits out a database that is away.

    A damaged log gets no more leaves: that is said again and again, and events wait until it is repaired.
    """
    while not stop.is_set():
        pause_ms = config.sequencer_interval_ms
        try:
            await sequence_once(database, keys, config)
        except LogDamaged as e:
            _log.critical("%s", e)
            pause_ms = DAMAGED_PAUSE_MS
        except (Unavailable, DBAPIError, OSError) as e:
            _log.warning("the sequencer waits for the database: %s", type(e).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause_ms / 1000)


async def _batch(database: Database, keys: LogKeys, config: Config) -> int:
    async with database.session() as session:
        if not await session.scalar(text("SELECT EXISTS (SELECT FROM pending_leaf)")):
            return 0
        await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        events = (await session.execute(_PENDING, {"batch": BATCH_EVENTS})).all()
        if not events:
            return 0
        size = await session.scalar(text("SELECT max(size) FROM checkpoint")) or 0
        leaves = _number(events, await _counters(session, events), keys.salt_key())
        data = [leaf_data(leaf) for leaf in leaves]
        await _write_leaves(session, size, events, leaves, data)
        root = await _write_nodes(session, size, [tree.leaf_hash(each) for each in data])
        await _sign(session, keys, config, size + len(leaves), root)
        return len(leaves)


async def _counters(session: AsyncSession, events: Sequence[Any]) -> dict[UUID, int]:
    ids = list({event.dataset_id for event in events if event.dataset_id is not None})
    rows = await session.execute(_COUNTERS, {"ids": ids})
    return {dataset_id: 0 if last is None else last + 1 for dataset_id, last in rows}


def _number(events: Sequence[Any], counters: dict[UUID, int], salt_key: bytes) -> list[Leaf]:
    tags = {dataset_id: dataset_tag(salt_key, dataset_id) for dataset_id in counters}
    leaves = []
    for event in events:
        tag, counter = tags.get(event.dataset_id), counters.get(event.dataset_id)
        leaves.append(Leaf(event.commitment.hex(), tag, counter))
        if counter is not None:
            counters[event.dataset_id] = counter + 1
    return leaves


async def _write_leaves(
    session: AsyncSession, size: int, events: Sequence[Any], leaves: Sequence[Leaf], data: Sequence[bytes]
) -> None:
    rows = [
        {"index": index, "event_id": event.id, "dataset_id": event.dataset_id, "dataset_counter": leaf.n,
         "data": each.decode()}
        for index, (event, leaf, each) in enumerate(zip(events, leaves, data, strict=True), size)
    ]  # fmt: skip
    await session.execute(_LEAVES, {"rows": _json(rows)})
    ids = [event.id for event in events]
    await session.execute(text("DELETE FROM pending_leaf WHERE event_id = ANY(:ids)"), {"ids": ids})


async def _write_nodes(session: AsyncSession, size: int, hashes: list[bytes]) -> bytes:
    wanted = tree.range_nodes(0, size)
    levels, indexes = [level for level, _ in wanted], [index for _, index in wanted]
    stored = (await session.execute(_FRONTIER, {"levels": levels, "indexes": indexes})).all()
    if len(stored) != len(wanted):
        raise LogDamaged(f"the log lacks nodes of its tree of {size} leaves: run `sandulieu audit verify`")
    frontier = [row.hash for row in stored]
    nodes = list(tree.append(frontier, size, hashes))
    rows = [{"level": level, "index": index, "hash": each.hex()} for (level, index), each in nodes]
    await session.execute(_NODES, {"rows": _json(rows)})
    return tree.fold(frontier)


async def _sign(session: AsyncSession, keys: LogKeys, config: Config, size: int, root: bytes) -> None:
    note = sign_checkpoint(config.log_origin, keys.log_signing(), size, root)
    await session.execute(
        text("INSERT INTO checkpoint (size, root, note, at) VALUES (:size, :root, :note, now())"),
        {"size": size, "root": root, "note": note},
    )


def _json(rows: list[dict[str, Any]]) -> str:
    # One JSON text is read by PostgreSQL several times faster than the driver writes arrays.
    return msgspec.json.encode(rows).decode()
