"""Publishing: the heavy work between two short transactions, one publisher a dataset at a time."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec import Struct
from sqlalchemy import func, select

from catalog.manifest import Manifest
from catalog.pii.gate import Override
from marketplace.accounts.senders import Sender
from marketplace.audit.facttree import grow
from marketplace.audit.sealing import seal
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.errors import Problem
from marketplace.listings.actions import release
from marketplace.listings.errors import ConsentsMoved, PublicationUnderWay
from marketplace.listings.known import previous_facts, publisher_facts
from marketplace.listings.leftovers import removed_unless_released
from marketplace.listings.making import make_permitted_version
from marketplace.listings.once import Once, Released, released_before
from marketplace.listings.parsing import parse_manifest
from marketplace.listings.places import find_place
from marketplace.listings.press import Press
from marketplace.listings.recording import record_refusal
from marketplace.listings.standing import read_register

SLOTS = asyncio.Semaphore(2)
"""Publications at once in a process: each holds a connection and a jail of `ingest_memory_bytes`."""


ATTEMPTS = 3
"""How often a version is made anew because a cohort went while it was being made."""


class _Order(Struct, frozen=True, kw_only=True):
    manifest: Manifest
    manifest_text: str
    source: Path
    by: Sender
    into: uuid.UUID | None
    may_exist: bool
    once: Once | None
    overrides: tuple[Override, ...]
    suite_text: str | None


async def publish_version(
    press: Press,
    *,
    manifest_text: str,
    source: Path,
    by: Sender,
    into: uuid.UUID | None = None,
    may_exist: bool = False,
    once: Once | None = None,
    overrides: tuple[Override, ...] = (),
    suite_text: str | None = None,
) -> Released:
    """Release a version: of dataset `into`; without it of a new dataset, or, if `may_exist`, of the one so named.

    The policy decides twice: on the manifest, before anything is made, and on what was made. With `once`, what the
    same publication released before, if it did. `overrides`: what `by` answers to the scan for personal data;
    `suite_text`: what the data must keep to.

    Raises ManifestWrong, ListingDenied, VersionRefused, PublicationUnderWay, KeyReused, Unavailable and what
    `find_place` and `release` raise; each refusal is logged.
    """
    manifest: Manifest | None = None
    try:
        earlier = await _earlier(press, by, once)
        if earlier is not None:
            return earlier
        manifest = await asyncio.to_thread(parse_manifest, manifest_text)
        order = _Order(
            manifest=manifest,
            manifest_text=manifest_text,
            source=source,
            by=by,
            into=into,
            may_exist=may_exist,
            once=once,
            overrides=overrides,
            suite_text=suite_text,
        )
        async with alone(press.database, manifest.dataset):
            for _ in range(ATTEMPTS - 1):
                with contextlib.suppress(ConsentsMoved):
                    return await _attempt(press, order)
            return await _attempt(press, order)
    except Problem as problem:
        slug = manifest.dataset if manifest else None
        async with press.database.session() as session:
            await record_refusal(session, press.keys, slug=slug, problem=problem, by=by)
        raise


async def _earlier(press: Press, by: Sender, once: Once | None) -> Released | None:
    if once is None:
        return None
    async with press.database.session() as session:
        return await released_before(session, once, organisation_id=by.organisation_id)


async def _attempt(press: Press, order: _Order) -> Released:
    async with press.database.session() as session:
        place = await find_place(
            session, manifest=order.manifest, by=order.by, into=order.into, may_exist=order.may_exist
        )
        register = None
        if place.dataset_id:
            register = await read_register(press.database, place.dataset_id, order.manifest.purposes)
        caller = await publisher_facts(
            session, person_id=order.by.person_id, organisation_id=order.by.organisation_id
        )
        listed = await previous_facts(session, place.previous)
    publication, judged = await make_permitted_version(
        order.manifest,
        order.manifest_text,
        order.source,
        engine=press.engine,
        caller=caller,
        listed=listed,
        store=press.store,
        key=press.keys.lineage(place.lineage_id),
        config=press.config,
        previous=place.newest,
        register=register,
        overrides=order.overrides,
        suite_text=order.suite_text,
    )
    sealed = seal(press.keys, decision_id=new_id(), tree=grow(judged.question), decision=judged.decision)
    async with removed_unless_released(press, publication.version.id), press.database.session() as session:
        row = await release(
            session,
            publication=publication,
            sealed=sealed,
            place=place,
            register=register,
            store=press.store,
            by=order.by,
            at=utcnow(),
            once=order.once,
        )
    return Released(
        dataset_id=row.dataset_id,
        slug=order.manifest.dataset,
        version_id=row.id,
        number=row.number,
        waiting=publication.report.waiting,
        state_class=row.state_class,
        personal_class=row.personal_class,
        warnings=judged.decision.reasons,
    )


@asynccontextmanager
async def alone(database: Database, slug: str) -> AsyncIterator[None]:
    """Nobody else publishes this dataset meanwhile: a lock that a dead process gives back by itself.

    Of the connection and not of a transaction, because a publication outlasts what may idle in one.
    """
    number = int.from_bytes(hashlib.sha256(b"publish:" + slug.encode()).digest()[:8], "big", signed=True)
    own = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with SLOTS, own.connect() as connection:
        if not await connection.scalar(select(func.pg_try_advisory_lock(number))):
            raise PublicationUnderWay(slug=slug)
        try:
            yield
        finally:
            await connection.scalar(select(func.pg_advisory_unlock(number)))
