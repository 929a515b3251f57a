"""Other generalisations of what an owner sent, to choose one from: what each risks and what it loses."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.anonymise.frontier import Frontier, Node
from catalog.anonymise.optimise import optimise
from catalog.anonymise.write import with_scheme
from marketplace.accounts.callers import Steward
from marketplace.errors import NotFound
from marketplace.jailed import told_as
from marketplace.listings.errors import VersionRefused
from marketplace.listings.parsing import parse_manifest
from marketplace.listings.press import Press
from marketplace.listings.publish import alone
from marketplace.publications.errors import PublicationWrongState
from marketplace.publications.files import folder_of, opened
from marketplace.publications.machine import AT_WORK
from marketplace.publications.models import PublicationRow
from marketplace.publications.schemas import SchemeList, SchemeView

SEARCH_MS: Final = 5_000
MOST_BYTES: Final = 64_000_000
"""Of a file that is read while somebody waits: some seconds. For a larger one there is the command."""
_ONE = asyncio.Semaphore(1)


class Scheme(Struct, frozen=True, kw_only=True):
    """`manifest`: what was sent, but for the transforms and fallbacks of this scheme."""

    node: Node
    manifest: str


class Schemes(Struct, frozen=True, kw_only=True):
    frontier: Frontier
    each: tuple[Scheme, ...]


async def schemes_of(press: Press, publication_id: UUID, *, by: Steward) -> Schemes:
    """Sought in a jail over the sealed file; nothing is kept.

    Raises NotFound, PublicationWrongState, PublicationUnderWay, ManifestWrong, VersionRefused, Unavailable.
    """
    async with press.database.reading() as session:
        row = await _row(session, publication_id, by)
    async with _ONE, alone(press.database, row.slug):
        async with press.database.reading() as session:
            row = await _row(session, publication_id, by)
        return await asyncio.to_thread(_sought, press, row)


def scheme_list(found: Schemes) -> SchemeList:
    """As the API says them."""
    frontier = found.frontier
    items = tuple(
        SchemeView(
            loss=each.node.ncp,
            risk=each.node.risk,
            k=each.node.k,
            l=each.node.l,
            fine_share=each.node.fine_share,
            left_out_share=each.node.left_out_share,
            manifest=each.manifest,
        )
        for each in found.each
    )
    return SchemeList(
        items=items,
        persons=frontier.persons,
        evaluated=frontier.evaluated,
        lattice=frontier.lattice,
        proven=frontier.proven,
    )


async def _row(session: AsyncSession, publication_id: UUID, by: Steward) -> PublicationRow:
    row = await session.get(PublicationRow, publication_id)
    if row is None or row.organisation_id != by.organisation_id:
        raise NotFound
    if row.state in AT_WORK or not row.has_files or row.source_bytes > MOST_BYTES:
        raise PublicationWrongState(state=row.state, verb="optimise")
    return row


def _sought(press: Press, row: PublicationRow) -> Schemes:
    parse_manifest(row.manifest)
    room, limits = folder_of(press.store, row.id), press.config.ingest_limits()
    with told_as(VersionRefused), opened(press.store, press.keys, row.id) as clear:
        frontier = optimise(clear, row.manifest, room=room, limits=limits, budget_ms=SEARCH_MS)
    each = tuple(Scheme(node=node, manifest=with_scheme(row.manifest, node)) for node in frontier.nodes)
    return Schemes(frontier=frontier, each=each)
