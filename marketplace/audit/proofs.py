"""Proofs from stored nodes: O(log n) look-ups, one round trip each."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit import tree
from marketplace.audit.models import Checkpoint
from marketplace.audit.published import shown_size
from marketplace.db.together import Statement, planned

_NODES = text("""
    SELECT level, index, hash FROM audit_node
    JOIN unnest(CAST(:levels AS bigint[]), CAST(:indexes AS bigint[])) AS wanted (level, index)
    USING (level, index)
""")

_COSIGNED = text("SELECT coalesce(string_agg(line, '' ORDER BY witness), '') FROM cosignature WHERE size = :size")
_SIGNED = """
    SELECT size, root, at, note || coalesce((
        SELECT string_agg(line, '' ORDER BY witness) FROM cosignature WHERE cosignature.size = checkpoint.size
    ), '') AS note
    FROM checkpoint WHERE size = ({size})
"""


class NodesMissing(RuntimeError):
    """The log lacks a node that its own size promises: the database was changed by hand."""


class InclusionProof(Struct, frozen=True):
    """That the leaf is in the tree of `size` leaves: hex hashes, leaf upwards."""

    index: int
    size: int
    hashes: tuple[str, ...]


class ConsistencyProof(Struct, frozen=True):
    """That the tree of `second` leaves begins with the tree of `first`."""

    first: int
    second: int
    hashes: tuple[str, ...]


async def inclusion_proof(session: AsyncSession, leaf_index: int, size: int) -> InclusionProof:
    """Raises ValueError where the leaf is not in a tree of that size."""
    hashes = await _prove(session, tree.inclusion_ranges(leaf_index, size))
    return InclusionProof(leaf_index, size, hashes)


async def consistency_proof(session: AsyncSession, first: int, second: int) -> ConsistencyProof:
    """Raises ValueError unless 0 < first <= second."""
    return ConsistencyProof(first, second, await _prove(session, tree.consistency_ranges(first, second)))


async def newest_checkpoint(session: AsyncSession) -> Checkpoint | None:
    """The newest head that was published, with the cosignatures that it has; None until the first is."""
    return await _checkpoint(session, text("SELECT max(size) FROM published"))


async def witnessed_checkpoint(session: AsyncSession, *, above: int = 0) -> Checkpoint | None:
    """The newest head of more than `above` leaves that a witness has cosigned; None if none has."""
    return await _checkpoint(session, text("SELECT max(size) FROM cosignature WHERE size > :above"), above=above)


async def with_cosignatures(session: AsyncSession, note: str) -> str:
    """A published note, with the cosignatures that it has by now."""
    return note + str(await session.scalar(_COSIGNED, {"size": shown_size(note)}))


async def _checkpoint(session: AsyncSession, size: TextClause, **parameters: int) -> Checkpoint | None:
    row = (await session.execute(text(_SIGNED.format(size=size)), parameters)).first()
    return None if row is None else Checkpoint(size=row.size, root=row.root, note=row.note, at=row.at)


async def _prove(session: AsyncSession, ranges: Iterable[tuple[int, int]]) -> tuple[str, ...]:
    ranges = list(ranges)
    wanted = [node for each in ranges for node in tree.range_nodes(*each)]
    parameters = {"levels": [level for level, _ in wanted], "indexes": [index for _, index in wanted]}
    rows = await planned(session, Statement(_NODES, parameters))
    found: dict[tree.Node, bytes] = {(level, index): hash_ for level, index, hash_ in rows}
    if len(found) != len(wanted):
        raise NodesMissing
    return tuple(each.hex() for each in tree.prove(ranges, found.__getitem__))
