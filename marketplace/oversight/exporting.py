"""An export of a search as a zip: the events in one form, then a manifest with their hash and the log's head.

It is streamed: however much a search finds, one batch is in memory, and no connection is held while it is sent.
An event tells that it begins before a byte is sent; another its manifest's hash, before the zip's own end is sent,
without which no program opens it.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar.response import Stream
from msgspec import Struct

from marketplace.accounts.seats import Seat, Seats
from marketplace.audit.actions import record
from marketplace.audit.errors import LogEmpty
from marketplace.audit.models import Checkpoint
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import newest_checkpoint
from marketplace.audit.reads import EventView, Viewer
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Forbidden
from marketplace.oversight.finding import Place, first, found
from marketplace.oversight.forms import FORMS, FormName
from marketplace.oversight.search import Search, require_known

BATCH_EVENTS = 1024
MANIFEST = "manifest.json"


class Manifest(Struct, frozen=True, kw_only=True):
    """What an export says of itself. `checkpoint`: the signed head when it began, which holds every event."""

    schema: str = "sandulieu-export/1"
    search: Search
    view: str
    organisation_id: UUID
    person_id: UUID
    begun_at: datetime
    events: int
    file: str
    bytes: int
    sha256: str
    checkpoint: str
    log_key: str


class _Pipe:
    """Where the zip is written: what was written since the last look is taken and sent."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """Nor is anything held."""

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


class _Hashed:
    """Counts and hashes what goes into a file of the zip; Arrow asks where it stands."""

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()
        self.bytes = 0

    def write(self, data: Any) -> int:
        raw = bytes(data)
        self._file.write(raw)
        self.sha256.update(raw)
        self.bytes += len(raw)
        return len(raw)

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        """The zip writes at once."""

    def close(self) -> None:
        """The zip closes its files itself."""


async def export_stream(
    database: Database,
    config: Config,
    keys: Keys,
    exports: Seats,
    viewer: Viewer,
    search: Search,
    form: FormName,
) -> Stream:
    """The answer that sends an export. Raises Forbidden to the operator, who sees no bodies; Invalid,
    TooManyExports, LogEmpty."""
    if viewer.view == "operator":
        raise Forbidden(needs=":".join(("regulator", "reader")))
    require_known(search)
    seat = exports.take(viewer.organisation_id)
    try:
        begun, checkpoint = await begin(database, viewer, search, form)
        key = str(verifier_key(config.log_origin, keys.log_signing()))
    except BaseException:
        seat.leave()
        raise
    pieces = exported(database, viewer, search, form, begun=begun, checkpoint=checkpoint, log_key=key)
    headers = {"Content-Disposition": f'attachment; filename="log-{begun}.zip"', "Cache-Control": "no-store"}
    return Stream(_seated(pieces, seat), media_type="application/zip", headers=headers)


async def _seated(pieces: AsyncGenerator[bytes, None], seat: Seat) -> AsyncIterator[bytes]:
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                yield piece
    finally:
        seat.leave()


async def begin(database: Database, viewer: Viewer, search: Search, form: FormName) -> tuple[UUID, Checkpoint]:
    """The event that an export begins, and the head of the log that it is made of. Raises LogEmpty."""
    async with database.session() as session:
        checkpoint = await newest_checkpoint(session)
        if checkpoint is None:
            raise LogEmpty
        begun = await record(
            session,
            "log:export",
            actor_person_id=viewer.person_id,
            actor_organisation_id=viewer.organisation_id,
            parties=(viewer.organisation_id,),
            body={
                "filter": search.told,
                "form": form,
                "size": checkpoint.size,
                "view": viewer.view,
            },
            secrets=search.secrets,
        )
    return begun, checkpoint


async def exported(
    database: Database,
    viewer: Viewer,
    search: Search,
    form: FormName,
    *,
    begun: UUID,
    checkpoint: Checkpoint,
    log_key: str,
) -> AsyncGenerator[bytes, None]:
    """The zip, piece by piece."""
    pipe, name = _Pipe(), f"events.{form}"
    begun_at, count = utcnow(), 0
    with zipfile.ZipFile(pipe, "w", FORMS[form].compression, strict_timestamps=False) as archive:
        with archive.open(name, "w", force_zip64=True) as file:
            hashed = _Hashed(file)
            writer = FORMS[form].open(hashed)
            async for batch in _batches(database, viewer, search, checkpoint.size):
                writer.write(batch)
                count += len(batch)
                yield pipe.take()
            writer.close()
        manifest = Manifest(
            search=search, view=viewer.view, organisation_id=viewer.organisation_id, person_id=viewer.person_id,
            begun_at=begun_at, events=count, file=name, bytes=hashed.bytes, sha256=hashed.sha256.hexdigest(),
            checkpoint=checkpoint.note, log_key=log_key,
        )  # fmt: skip
        told = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
        archive.writestr(MANIFEST, told)
        yield pipe.take()
        await _done(database, viewer, begun, count, told)
    yield pipe.take()


async def _batches(
    database: Database, viewer: Viewer, search: Search, size: int
) -> AsyncIterator[list[EventView]]:
    after: Place | None = None
    while True:
        async with database.reading() as session:  # given back before a slow reader takes what was read
            read = await first(found(session, viewer, search, after=after, below=size), BATCH_EVENTS)
        if read:
            yield [event for event, _ in read]
        if len(read) < BATCH_EVENTS:
            return
        after = read[-1][1]


async def _done(database: Database, viewer: Viewer, begun: UUID, count: int, manifest: bytes) -> None:
    async with database.session() as session:
        await record(
            session,
            "log:exported",
            actor_person_id=viewer.person_id,
            actor_organisation_id=viewer.organisation_id,
            parties=(viewer.organisation_id,),
            body={"begun": begun, "events": count, "manifest_sha256": hashlib.sha256(manifest).hexdigest()},
        )
