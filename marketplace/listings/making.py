"""Making a version from a manifest and a file: the heavy work, in a thread, that no transaction waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from catalog.manifest import Manifest
from catalog.pii.gate import Override
from catalog.pipeline.run import Observe
from catalog.publish import Publication, publish
from catalog.quality.suite import Suite
from catalog.releasing import remove_version
from catalog.storage import Store
from marketplace.config import Config
from marketplace.consents.subjects import pseudonyms
from marketplace.jailed import told_as
from marketplace.listings.errors import Judged, ListingDenied, VersionRefused
from marketplace.listings.parsing import parse_suite
from marketplace.listings.permission import require_listing
from marketplace.listings.register import Register
from policies.decision import Caller, PreviousFacts
from policies.engine import Engine


async def make_permitted_version(
    manifest: Manifest,
    manifest_text: str,
    source: Path,
    *,
    engine: Engine,
    caller: Caller,
    listed: PreviousFacts,
    store: Store,
    key: bytes,
    config: Config,
    previous: str | None = None,
    register: Register | None = None,
    overrides: Sequence[Override] = (),
    suite_text: str | None = None,
    observe: Observe | None = None,
) -> tuple[Publication, Judged]:
    """As `make_version`, with the policy's yes to the manifest before and to what was made after.

    `listed`: what is listed now, against which a rise of the class is told. Raises ListingDenied, VersionRefused,
    Unavailable.
    """
    await require_listing(engine, caller=caller, manifest=manifest)
    publication = await make_version(
        manifest_text, source, store=store, key=key, config=config, previous=previous, register=register,
        overrides=overrides, observe=observe,
        suite=parse_suite(suite_text, manifest) if suite_text is not None else None,
    )  # fmt: skip
    try:
        judged = await require_listing(
            engine,
            caller=caller,
            manifest=manifest,
            version=publication.version,
            previous=listed,
            quality=publication.report.quality,
        )
    except ListingDenied:
        await asyncio.to_thread(remove_version, store, publication.version.id)
        raise
    return publication, judged


async def make_version(
    manifest_text: str,
    source: Path,
    *,
    store: Store,
    key: bytes,
    config: Config,
    previous: str | None = None,
    register: Register | None = None,
    overrides: Sequence[Override] = (),
    suite: Suite | None = None,
    observe: Observe | None = None,
) -> Publication:
    """A version in the store, released nowhere. Raises VersionRefused, Unavailable.

    `key`: the lineage's; `previous`: its newest version; `register`: what it says of a dataset that was listed
    before; `overrides`: answers to what the scan for personal data finds; `observe`: told of each stage.
    """
    with told_as(VersionRefused):
        return await asyncio.to_thread(
            publish,
            manifest_text,
            source,
            store=store,
            pseudonymise=partial(pseudonyms, key),
            consents=register.consents if register else None,
            previous=previous,
            limits=config.ingest_limits(),
            overrides=overrides,
            suite=suite,
            observe=observe,
        )
