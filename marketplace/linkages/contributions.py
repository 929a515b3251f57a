"""Receiving an owner's half: read in a jail, named under the linkage's key, sealed until both want the join."""

from __future__ import annotations

import asyncio
import hashlib
import time
import uuid
from functools import partial
from pathlib import Path

from sqlalchemy import select

from catalog.joint.contribution import contribute, erase
from catalog.manifest import Manifest
from marketplace.accounts.callers import Steward
from marketplace.accounts.models import Organisation
from marketplace.consents.subjects import pseudonyms
from marketplace.db.base import new_id, utcnow
from marketplace.jailed import told_as
from marketplace.linkages.actions import erase_contribution, locked_linkage, record_linkage, standing
from marketplace.linkages.errors import LinkageWrongState, PopulationDiffers
from marketplace.linkages.floors import require_no_floor
from marketplace.linkages.models import Contribution, Linkage
from marketplace.listings.errors import NotYourOrganisation, VersionRefused
from marketplace.listings.known import publisher_facts
from marketplace.listings.parsing import parse_manifest
from marketplace.listings.permission import require_listing
from marketplace.listings.press import Press
from marketplace.listings.publish import SLOTS

_ABANDONED_S = 86_400
"""Longer than any part takes to be read."""


async def send(press: Press, *, linkage_id: uuid.UUID, manifest_text: str, source: Path, by: Steward) -> uuid.UUID:
    """Take an owner's half; one that it sent before and that was not joined yet is erased. Gives its id.

    Raises NotFound, LinkageWrongState, ManifestWrong, NotYourOrganisation, PopulationDiffers, ListingDenied,
    FloorStands, VersionRefused, Unavailable.
    """
    manifest = await asyncio.to_thread(parse_manifest, manifest_text)
    await _sweep(press)
    async with press.database.session() as session:
        linkage = await locked_linkage(session, linkage_id, organisation_id=by.organisation_id)
        require_approved(linkage, "contribute")
        lineage_id = linkage.lineage_id
        own = await session.get_one(Organisation, by.organisation_id)
        _require_fits(manifest, linkage, own)
        caller = await publisher_facts(session, person_id=by.person_id, organisation_id=by.organisation_id)
    assert lineage_id is not None  # approved
    await require_listing(press.engine, caller=caller, manifest=manifest)
    await require_no_floor(press.engine, caller=caller, manifest=manifest)
    made = Contribution(
        id=new_id(), linkage_id=linkage_id, owner_id=by.organisation_id, manifest=manifest_text, persons=0,
        sent_by=by.person_id,
    )  # fmt: skip
    try:
        async with SLOTS:
            made.persons = await _seal(press, made, lineage_id, source)
        await _keep(press, made, by)
    except BaseException:
        press.keys.forget_contribution(made.id)
        erase(press.store, str(made.id))
        raise
    return made.id


async def _sweep(press: Press) -> None:
    """Erase what a process that died left sealed, and no row knows of."""
    async with press.database.reading() as session:
        known = await session.scalars(select(Contribution.id).where(Contribution.erased_at.is_(None)))
        waiting = {str(each) for each in known}
    for folder in (press.store.root / "contributions").glob("*"):
        if folder.name not in waiting and time.time() - folder.stat().st_mtime > _ABANDONED_S:
            press.keys.forget_contribution(uuid.UUID(folder.name))
            erase(press.store, folder.name)


def require_approved(linkage: Linkage, verb: str) -> None:
    """Raises LinkageWrongState."""
    if linkage.state != "approved":
        raise LinkageWrongState(state=linkage.state, verb=verb)


def _require_fits(manifest: Manifest, linkage: Linkage, own: Organisation) -> None:
    if manifest.owner != own.slug:
        raise NotYourOrganisation(owner=manifest.owner)
    if manifest.population != linkage.population:
        raise PopulationDiffers(population=linkage.population, asked=manifest.population)


async def _seal(press: Press, made: Contribution, lineage_id: uuid.UUID, source: Path) -> int:
    named_by, sealed_by = press.keys.lineage(lineage_id), press.keys.contribution(made.id)
    config = press.config
    with told_as(VersionRefused):
        return await asyncio.to_thread(
            contribute,
            made.manifest,
            source,
            store=press.store,
            contribution_id=str(made.id),
            pseudonymise=partial(pseudonyms, named_by),
            key=sealed_by,
            limits=config.ingest_limits(),
        )


async def _keep(press: Press, made: Contribution, by: Steward) -> None:
    async with press.database.session() as session:
        linkage = await locked_linkage(session, made.linkage_id, organisation_id=by.organisation_id)
        require_approved(linkage, "contribute")
        for earlier in await standing(session, linkage.id):
            if earlier.owner_id == by.organisation_id:
                erase_contribution(press.keys, press.store, earlier, at=utcnow())
        await session.flush()
        session.add(made)
        await session.flush()
        # The other owner reads this too: nothing of the file is in it.
        manifest_sha256 = hashlib.sha256(made.manifest.encode()).hexdigest()
        body = {"contribution": str(made.id), "manifest_sha256": manifest_sha256}
        await record_linkage(session, "linkage:contribute", linkage, by, body)
