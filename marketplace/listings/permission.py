"""The policy's word on a publication, before the heavy work and again on what came of it."""

from __future__ import annotations

import time

from catalog.manifest import Manifest
from catalog.quality.report import QualityReport
from catalog.version import Version
from marketplace.listings.errors import Judged, ListingDenied
from marketplace.listings.facts import manifest_facts, version_facts
from policies.decision import Caller, ListingQuestion, PreviousFacts
from policies.engine import Engine


async def require_listing(
    engine: Engine,
    *,
    caller: Caller,
    manifest: Manifest,
    version: Version | None = None,
    previous: PreviousFacts | None = None,
    quality: QualityReport | None = None,
) -> Judged:
    """The decision that allows; without `version`, whether one may be made at all. `quality`: what the suite that
    came with its file found. Raises ListingDenied."""
    judged = await decide_listing(
        engine, caller=caller, manifest=manifest, version=version, previous=previous, quality=quality
    )
    if not judged.decision.allow:
        raise ListingDenied(judged)
    return judged


async def decide_listing(
    engine: Engine,
    *,
    caller: Caller,
    manifest: Manifest,
    version: Version | None = None,
    previous: PreviousFacts | None = None,
    quality: QualityReport | None = None,
) -> Judged:
    """As `require_listing`, whichever way it goes."""
    question = ListingQuestion(
        at_ms=time.time_ns() // 1_000_000,
        stage="version" if version else "manifest",
        caller=caller,
        manifest=manifest_facts(manifest),
        version=version_facts(version, quality) if version else None,
        previous=previous,
    )
    return Judged(question, await engine.decide(question))
