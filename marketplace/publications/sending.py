"""Sending a file for publication: judged by its manifest, sealed, and given a row that the service works on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.errors import PublicationRefused
from catalog.publish import digest_of
from marketplace.accounts.senders import Sender, record_sent
from marketplace.db.base import new_id, utcnow
from marketplace.db.idempotency import claim, seen
from marketplace.errors import Problem
from marketplace.listings.errors import VersionRefused
from marketplace.listings.known import publisher_facts
from marketplace.listings.once import Once
from marketplace.listings.parsing import parse_manifest, parse_suite
from marketplace.listings.permission import require_listing
from marketplace.listings.places import find_place
from marketplace.listings.press import Press
from marketplace.listings.recording import record_refusal
from marketplace.publications.errors import PublicationOpen
from marketplace.publications.files import forget, take_in
from marketplace.publications.ground import suite_digest
from marketplace.publications.models import PublicationRow


async def send(
    press: Press, *, manifest_text: str, source: Path, suite_text: str | None, source_name: str, by: Sender,
    once: Once | None,
) -> UUID:  # fmt: skip
    """A publication that the service works on from now on; its id. With `once`, that of the same sent before.

    Raises ManifestWrong, ListingDenied, PublicationOpen, KeyReused, VersionRefused (disk full) and what
    `find_place` raises; each refusal is logged.
    """
    slug = None
    try:
        earlier = await _earlier(press, by, once)
        if earlier is not None:
            return earlier
        manifest = await asyncio.to_thread(parse_manifest, manifest_text)
        slug = manifest.dataset
        if suite_text is not None:
            await asyncio.to_thread(parse_suite, suite_text, manifest)
        async with press.database.session() as session:
            await find_place(session, manifest=manifest, by=by, into=None, may_exist=True)
            caller = await publisher_facts(session, person_id=by.person_id, organisation_id=by.organisation_id)
        await require_listing(press.engine, caller=caller, manifest=manifest)
        row = PublicationRow(
            id=new_id(), organisation_id=by.organisation_id, slug=slug, manifest=manifest_text,
            source_name=source_name[-200:], source_bytes=(await asyncio.to_thread(source.stat)).st_size,
            source_sha256=await asyncio.to_thread(digest_of, source), suite_sha256=suite_digest(suite_text),
            state="making", overrides=[], told_overdue=False,
            sent_by=by.person_id, via=by.via, sent_at=utcnow(), has_files=True, changed_at=utcnow(),
        )  # fmt: skip
        return await _keep(press, row, source, suite_text, by, once)
    except Problem as problem:
        async with press.database.session() as session:
            await record_refusal(session, press.keys, slug=slug, problem=problem, by=by)
        raise


async def _earlier(press: Press, by: Sender, once: Once | None) -> UUID | None:
    if once is None:
        return None
    async with press.database.session() as session:
        return await seen(session, organisation_id=by.organisation_id, key=once.key, body=once.body)


async def _keep(
    press: Press, row: PublicationRow, source: Path, suite_text: str | None, by: Sender, once: Once | None
) -> UUID:
    """The file first: a row without it could not be worked on; a file without a row is swept away."""
    try:
        await asyncio.to_thread(take_in, press.store, press.keys, row.id, source, suite_text)
    except PublicationRefused as full:
        raise VersionRefused(full.code, **full.params) from full
    publication_id = row.id
    try:
        async with press.database.session() as session:
            kept = await _insert(session, row, by, once)
    except BaseException:
        await asyncio.to_thread(forget, press.store, press.keys, publication_id)
        raise
    if kept != publication_id:
        await asyncio.to_thread(forget, press.store, press.keys, publication_id)
    return kept


async def _insert(session: AsyncSession, row: PublicationRow, by: Sender, once: Once | None) -> UUID:
    if once is not None:
        first = await claim(session, by.organisation_id, once.key, once.body, row.id)
        if first != row.id:
            return first
    values = {c.name: getattr(row, c.name) for c in PublicationRow.__table__.columns}
    made = insert(PublicationRow).values(values).on_conflict_do_nothing().returning(PublicationRow.id)
    if await session.scalar(made) is None:
        raise PublicationOpen(slug=row.slug)
    body = {
        "publication": str(row.id), "dataset": row.slug, "source_sha256": row.source_sha256,
        "suite_sha256": row.suite_sha256, "via": row.via,
    }  # fmt: skip
    await record_sent(session, "publication:send", by, dataset_id=None, body=body)
    return row.id
