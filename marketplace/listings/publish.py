"""Publishing: the heavy work in a thread, between two short transactions, one publisher a dataset at a time."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from catalog.errors import ManifestRefused, PublicationRefused
from catalog.manifest import Manifest, read_manifest
from catalog.publish import IngestLimits, Publication, publish
from catalog.storage import Store
from msgspec import Struct
from sqlalchemy import func, select

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Problem, Unavailable
from marketplace.listings.actions import Place, Publisher, find_place, record_refusal, release
from marketplace.listings.errors import ManifestWrong, PublicationUnderWay, VersionRefused
from sandbox.job import SandboxFailed

_SLOTS = asyncio.Semaphore(2)
"""Publications at once in a process: each holds a connection and a jail of `ingest_memory_bytes`."""


class Press(Struct, frozen=True, kw_only=True):
    """What publishing needs of the service."""

    config: Config
    database: Database
    store: Store
    keys: Keys


class Released(Struct, frozen=True, kw_only=True):
    """What became of a publication."""

    dataset_id: uuid.UUID
    slug: str
    version_id: str
    number: int


async def publish_version(
    press: Press,
    *,
    manifest_text: str,
    source: Path,
    by: Publisher,
    into: uuid.UUID | None = None,
    may_exist: bool = False,
) -> Released:
    """Release a version: of dataset `into`; without it of a new dataset, or, if `may_exist`, of the one so named.

    Raises ManifestWrong, VersionRefused, PublicationUnderWay and what `find_place` and `release` raise; each
    refusal is logged.
    """
    manifest: Manifest | None = None
    try:
        manifest = await asyncio.to_thread(_read_manifest, manifest_text)
        async with _alone(press.database, manifest.dataset):
            async with press.database.session() as session:
                place = await find_place(session, manifest=manifest, by=by, into=into, may_exist=may_exist)
            publication = await _publish(press, manifest_text, source, place)
            async with press.database.session() as session:
                row = await release(session, publication=publication, place=place, by=by, at=utcnow())
                return Released(
                    dataset_id=row.dataset_id, slug=manifest.dataset, version_id=row.id, number=row.number
                )
    except Problem as problem:
        slug = manifest.dataset if manifest else None
        async with press.database.session() as session:
            await record_refusal(session, slug=slug, code=problem.code, by=by)
        raise


def _read_manifest(text: str) -> Manifest:
    try:
        return read_manifest(text)
    except ManifestRefused as refused:
        raise ManifestWrong(
            [
                {"path": "manifest", "code": e.code, "params": dict(e.params), "line": e.line, "column": e.column}
                for e in refused.errors
            ]
        ) from refused


@asynccontextmanager
async def _alone(database: Database, slug: str) -> AsyncIterator[None]:
    """Nobody else publishes this dataset meanwhile: a lock that a dead process gives back by itself.

    Of the connection and not of a transaction, because a publication outlasts what may idle in one.
    """
    number = int.from_bytes(hashlib.sha256(b"publish:" + slug.encode()).digest()[:8], "big", signed=True)
    own = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    async with _SLOTS, own.connect() as connection:
        if not await connection.scalar(select(func.pg_try_advisory_lock(number))):
            raise PublicationUnderWay(slug=slug)
        try:
            yield
        finally:
            await connection.scalar(select(func.pg_advisory_unlock(number)))


async def _publish(press: Press, manifest_text: str, source: Path, place: Place) -> Publication:
    key = press.keys.lineage(place.lineage_id)
    limits = IngestLimits(
        deadline_ms=press.config.ingest_deadline_ms, memory_bytes=press.config.ingest_memory_bytes
    )
    try:
        return await asyncio.to_thread(
            publish,
            manifest_text,
            source,
            store=press.store,
            pseudonymise=lambda subjects: pseudonyms(key, subjects),
            consented=_register(press.database, place.dataset_id),
            previous=place.previous,
            limits=limits,
        )
    except PublicationRefused as refused:
        raise VersionRefused(refused.code, **refused.params) from refused
    except SandboxFailed as failed:
        if failed.code == "sandbox.unavailable":
            raise Unavailable(reason=failed.code) from failed
        raise VersionRefused(failed.code, **failed.params) from failed
