"""Recomputes the whole log from its rows and names what does not fit: edited, removed, swapped, put in, forged.

Who holds the database but not the signing key cannot make this silent. Cutting off the newest leaves together with
their checkpoints leaves a log that fits in itself; that is found with `seen`, checkpoints kept by others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit import tree
from marketplace.audit.canonical import exact
from marketplace.audit.commitment import commitment
from marketplace.audit.leaf import ALONE, Leaf, Place, chain_key, link, read_leaf
from marketplace.audit.models import AuditLeaf, Checkpoint, Event, EventSalt
from marketplace.audit.reads import event_of
from marketplace.audit.registry import counted_names
from marketplace.verifier.note import VerifierKey, open_checkpoint
from marketplace.verifier.refusal import Refused

CHUNK_LEAVES = 2048
CHUNK_CHECKPOINTS = 4096
MAX_FINDINGS = 1000


class Finding(Struct, frozen=True):
    """One thing that does not fit: a code with texts, and where (leaf index, event id, or size)."""

    code: str
    where: str


@dataclass
class _Walk:
    """How far the recomputation is: `roots` wanted by size, the last place of each dataset (n, own index)."""

    roots: dict[int, set[bytes]]
    salt_key: bytes | None
    frontier: list[bytes] = field(default_factory=list)
    size: int = 0
    counted: frozenset[str] = field(default_factory=lambda: frozenset(counted_names()))
    last: dict[UUID, Place] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)

    def find(self, code: str, where: object) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(Finding(code, str(where)))


async def check_log(
    session: AsyncSession, public_key: VerifierKey, *, seen: Sequence[str] = (), salt_key: bytes | None = None
) -> tuple[Finding, ...]:
    """Everything that does not fit, none if the log is whole; at most MAX_FINDINGS.

    `seen`: checkpoint notes that others kept; `salt_key`: the log's, to check the links of the leaves as well.
    """
    walk = _Walk({0: {tree.EMPTY_ROOT}}, salt_key)
    await _checkpoints(session, walk, public_key, seen)
    while await _chunk(session, walk):
        pass
    for size in walk.roots:
        if size > walk.size:
            walk.find("log.cut_short", size)
    await _strays(session, walk)
    return tuple(walk.findings)


async def _checkpoints(session: AsyncSession, walk: _Walk, key: VerifierKey, seen: Iterable[str]) -> None:
    """Signatures of all heads; their roots are compared when the walk comes by.

    Nearly as many as queries, and whoever looks at night also serves: a thread does the sums."""
    every = select(Checkpoint.size, Checkpoint.root, Checkpoint.note).order_by(Checkpoint.size)
    chunk = every.limit(CHUNK_CHECKPOINTS)
    while rows := (await session.execute(chunk)).all():
        await asyncio.to_thread(_heads, walk, key, [(row.size, row.root, row.note) for row in rows])
        chunk = every.where(Checkpoint.size > rows[-1].size).limit(CHUNK_CHECKPOINTS)
    await asyncio.to_thread(_heads, walk, key, [(None, None, note) for note in seen])


def _heads(walk: _Walk, key: VerifierKey, heads: Iterable[tuple[int | None, bytes | None, str]]) -> None:
    for size, root, note in heads:
        try:
            head = open_checkpoint(note, key)
        except Refused:
            walk.find("log.checkpoint_forged", size)
            continue
        if size is not None and (head.size, head.root) != (size, root):
            walk.find("log.checkpoint_changed", size)
        walk.roots.setdefault(head.size, set()).add(head.root)


async def _chunk(session: AsyncSession, walk: _Walk) -> bool:
    """Check the next leaves; False at the end, or at a gap, after which no hash could fit."""
    rows = await session.execute(
        select(AuditLeaf, Event, EventSalt.salt)
        .outerjoin(Event, Event.id == AuditLeaf.event_id)
        .outerjoin(EventSalt, EventSalt.event_id == Event.id)
        .where(AuditLeaf.index >= walk.size)
        .order_by(AuditLeaf.index)
        .limit(CHUNK_LEAVES)
        .execution_options(populate_existing=True)  # not what a session remembers: what is there
    )
    nodes, whole = await asyncio.to_thread(_leaves, walk, rows.all())
    await _nodes(session, walk, nodes)
    return whole and bool(nodes)


def _leaves(
    walk: _Walk, rows: Iterable[Row[AuditLeaf, Event | None, bytes | None]]
) -> tuple[list[tuple[tree.Node, bytes]], bool]:
    """The nodes that these leaves give, and whether none is missing between them."""
    nodes: list[tuple[tree.Node, bytes]] = []
    for leaf, event, salt in rows:
        if leaf.index != walk.size:
            walk.find("log.leaf_missing", walk.size)
            return nodes, False
        _leaf(walk, leaf, event, salt)
        nodes += tree.append(walk.frontier, walk.size, [tree.leaf_hash(leaf.data)])
        walk.size += 1
        if walk.size in walk.roots and walk.roots[walk.size] != {tree.fold(walk.frontier)}:
            walk.find("log.root_differs", walk.size)
    return nodes, True


def _leaf(walk: _Walk, row: AuditLeaf, event: Event | None, salt: bytes | None) -> None:
    try:
        leaf = read_leaf(row.data)
    except ValueError:
        walk.find("log.leaf_changed", row.index)
        return
    if event is None:
        walk.find("log.event_missing", row.index)
        return
    if event.commitment.hex() != leaf.c:
        walk.find("log.leaf_changed", row.index)
    if salt is None:
        walk.find("log.salt_missing", event.id)
    elif commitment(salt, exact(event_of(event))) != event.commitment:
        walk.find("log.event_changed", event.id)
    _place(walk, row, leaf, event)


def _place(walk: _Walk, row: AuditLeaf, leaf: Leaf, event: Event) -> None:
    """It stands in the chain of its event's dataset, right after the last one there."""
    dataset_id = event.dataset_id if event.name in walk.counted else None
    due, stored = ALONE, (row.dataset_id, row.dataset_counter, row.dataset_previous)
    if dataset_id is not None:
        last = walk.last.get(dataset_id)
        due = Place(last.n + 1, last.p) if last else ALONE
        walk.last[dataset_id] = Place(due.n, row.index)
    if stored != ((dataset_id, due.n, due.p) if dataset_id else (None, None, None)):
        walk.find("log.counter_wrong", row.index)
    if walk.salt_key is not None and leaf.l != link(chain_key(walk.salt_key, dataset_id or event.id), due):
        walk.find("log.counter_wrong", row.index)


async def _nodes(session: AsyncSession, walk: _Walk, nodes: Sequence[tuple[tree.Node, bytes]]) -> None:
    """Stored nodes are what the leaves give: proofs are made of them."""
    rows = [{"level": level, "index": index, "hash": each.hex()} for (level, index), each in nodes]
    wrong = await session.execute(
        text("""
            SELECT due.level, due.index
            FROM json_to_recordset(CAST(:rows AS json)) AS due (level bigint, index bigint, hash text)
            LEFT JOIN audit_node USING (level, index)
            WHERE audit_node.hash IS DISTINCT FROM decode(due.hash, 'hex')
        """),
        {"rows": msgspec.json.encode(rows).decode()},
    )
    for level, index in wrong:
        walk.find("log.node_changed", f"{level}/{index}")


async def _strays(session: AsyncSession, walk: _Walk) -> None:
    """Rows that no walk over the leaves comes by; each statement sees one state, so a busy log is no finding."""
    for code, statement in _STRAYS.items():
        for where in await session.scalars(text(statement), {"limit": MAX_FINDINGS}):
            walk.find(code, where)


_STRAYS = {
    "log.event_hidden": """
        SELECT event.id FROM event
        WHERE NOT EXISTS (SELECT FROM audit_leaf WHERE audit_leaf.event_id = event.id)
            AND NOT EXISTS (SELECT FROM pending_leaf WHERE pending_leaf.event_id = event.id) LIMIT :limit
    """,
    "log.event_missing": """
        SELECT event_id FROM pending_leaf
        WHERE NOT EXISTS (SELECT FROM event WHERE event.id = pending_leaf.event_id) LIMIT :limit
    """,
    "log.leaf_unsigned": """
        SELECT index FROM audit_leaf
        WHERE index >= coalesce((SELECT max(size) FROM checkpoint), 0) ORDER BY index LIMIT :limit
    """,
    "log.node_stray": """
        SELECT level || '/' || index FROM audit_node
        WHERE level NOT BETWEEN 0 AND 62 OR index < 0
            OR index >= coalesce((SELECT max(size) FROM checkpoint), 0) >> CAST(level AS int) LIMIT :limit
    """,
}
"""Code of the finding -> where it is."""
