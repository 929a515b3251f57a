"""The policy's word on a publication, before the heavy work and again on what came of it."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from catalog.manifest import Manifest
from catalog.version import Version
from marketplace.listings.errors import ListingDenied
from marketplace.listings.facts import manifest_facts, version_facts
from policies.decision import Caller, Decision, ListingQuestion, PreviousFacts
from policies.engine import Engine


async def require_listing(
    engine: Engine,
    *,
    caller: Caller,
    manifest: Manifest,
    version: Version | None = None,
    previous: PreviousFacts | None = None,
) -> Decision:
    """The decision that allows; without `version`, whether one may be made at all. Raises ListingDenied."""
    decision = await decide_listing(engine, caller=caller, manifest=manifest, version=version, previous=previous)
    if not decision.allow:
        raise ListingDenied(decision)
    return decision


async def decide_listing(
    engine: Engine,
    *,
    caller: Caller,
    manifest: Manifest,
    version: Version | None = None,
    previous: PreviousFacts | None = None,
) -> Decision:
    """As `require_listing`, whichever way it goes."""
    question = ListingQuestion(
        at_ms=time.time_ns() // 1_000_000,
        stage="version" if version else "manifest",
        caller=caller,
        manifest=manifest_facts(manifest),
        version=version_facts(version) if version else None,
        previous=previous,
    )
    return await engine.decide(question)


def told(decision: Decision) -> dict[str, Any]:
    """The decision as the log holds it: without the hash of the facts, which unsalted could be tried out."""
    shown: dict[str, Any] = msgspec.to_builtins(decision)
    del shown["facts_hash"]
    return shown
