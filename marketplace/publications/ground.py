"""What a publication is made on, as of one instant: the row, its place, consents, who sent it, what is listed."""

from __future__ import annotations

import hashlib
from functools import partial
from uuid import UUID

import msgspec
from msgspec import Struct

from catalog.errors import PublicationRefused
from catalog.manifest import Manifest
from catalog.pii.gate import Override
from catalog.pipeline.line import Order
from catalog.pipeline.run import Pipeline
from catalog.quality.suite import Suite
from marketplace.accounts.senders import Sender
from marketplace.consents.subjects import pseudonyms
from marketplace.listings.errors import VersionRefused
from marketplace.listings.known import previous_facts, publisher_facts
from marketplace.listings.parsing import parse_manifest, parse_suite
from marketplace.listings.places import Place, find_place
from marketplace.listings.press import Press
from marketplace.listings.register import Register
from marketplace.listings.standing import read_register
from marketplace.publications.files import folder_of, opened, suite_of
from marketplace.publications.models import PublicationRow
from policies.decision import Caller, PreviousFacts


class Ground(Struct, frozen=True, kw_only=True):
    publication_id: UUID
    state: str
    manifest: Manifest
    manifest_text: str
    source_sha256: str
    suite_sha256: str | None
    overrides: tuple[Override, ...]
    by: Sender
    place: Place
    register: Register | None
    caller: Caller
    listed: PreviousFacts


async def read_ground(press: Press, publication_id: UUID) -> Ground:
    """Raises ManifestWrong and what `find_place` raises."""
    async with press.database.session() as session:
        row = await session.get_one(PublicationRow, publication_id)
        manifest = parse_manifest(row.manifest)
        by = Sender(person_id=row.sent_by, organisation_id=row.organisation_id, via=row.via)
        place = await find_place(session, manifest=manifest, by=by, into=None, may_exist=True)
        register = None
        if place.dataset_id:
            register = await read_register(press.database, place.dataset_id, manifest.purposes)
        return Ground(
            publication_id=row.id,
            state=row.state,
            manifest=manifest,
            manifest_text=row.manifest,
            source_sha256=row.source_sha256,
            suite_sha256=row.suite_sha256,
            overrides=tuple(
                Override(columns=tuple(each["columns"]), finding=each["finding"], reason=each["reason"])
                for each in row.overrides
            ),
            by=by,
            place=place,
            register=register,
            caller=await publisher_facts(session, person_id=by.person_id, organisation_id=by.organisation_id),
            listed=await previous_facts(session, place.previous),
        )


def pipeline_on(press: Press, ground: Ground) -> Pipeline:
    """Its stages, in its folder, where what an earlier process finished still lies. Blocking.

    Raises VersionRefused.
    """
    key = press.keys.lineage(ground.place.lineage_id)
    order = Order(
        manifest=ground.manifest,
        manifest_text=ground.manifest_text,
        source=lambda: opened(press.store, press.keys, ground.publication_id),
        source_sha256=ground.source_sha256,
        store=press.store,
        pseudonymise=partial(pseudonyms, key),
        consents=ground.register.consents if ground.register else None,
        register=_digest(ground.register),
        previous=ground.place.newest,
        limits=press.config.ingest_limits(),
        overrides=ground.overrides,
        suite=_suite(press, ground),
    )
    return Pipeline(order, folder_of(press.store, ground.publication_id), lasting=True)


def _suite(press: Press, ground: Ground) -> Suite | None:
    try:
        said = suite_of(press.store, press.keys, ground.publication_id)
    except PublicationRefused as gone:
        raise VersionRefused(gone.code, **gone.params) from gone
    if ground.suite_sha256 is not None and ground.suite_sha256 != suite_digest(said):
        raise VersionRefused("publication.file_gone")
    return parse_suite(said, ground.manifest) if said is not None else None


def suite_digest(text: str | None) -> str | None:
    """SHA-256 (hex) of a suite as it was sent."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()


def subject_of_row(row: PublicationRow) -> str:
    """What reviewers approve: file, manifest and suite, what was answered for, and the classes (SHA-256, hex).

    Not the version's id: who withdraws consent meanwhile is left out, and nobody needs to approve that."""
    overridden = sorted((each["code"], each["key"]) for each in row.overrides)
    suite = () if row.suite_sha256 is None else (row.suite_sha256,)
    said = (row.source_sha256, row.manifest, overridden, row.state_class, row.personal_class, *suite)
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()


def _digest(register: Register | None) -> str:
    """Of what the register says; it decides who is in the version."""
    if register is None:
        return ""
    said = register.consents
    digest = hashlib.sha256(msgspec.json.encode((register.exclusions, said.purposes)))
    for array in (said.subjects, said.given, said.withdrawn):
        digest.update(array.tobytes())
    return digest.hexdigest()
