"""The policy's word on a publication, before the heavy work and again on what came of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import msgspec

from catalog.manifest import Manifest
from catalog.version import Version
from marketplace.db.engine import Database
from marketplace.listings.errors import ListingDenied
from marketplace.listings.facts import manifest_facts, version_facts
from policies.decision import Caller, Decision, ListingQuestion, PreviousFacts
from policies.engine import Engine


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What deciding needs of the service: who decides, and where a denial is written down."""

    engine: Engine
    database: Database


async def require_listing(
    engine: Engine,
    *,
    caller: Caller,
    manifest: Manifest,
    version: Version | None = None,
    previous: PreviousFacts | None = None,
) -> Decision:
    """The decision that allows; without `version`, whether one may be made at all. Raises ListingDenied."""
    question = ListingQuestion(
        at_ms=time.time_ns() // 1_000_000,
        stage="version" if version else "manifest",
        caller=caller,
        manifest=manifest_facts(manifest),
        version=version_facts(version) if version else None,
        previous=previous,
    )
    decision = await engine.decide(question)
    if not decision.allow:
        raise ListingDenied(decision)
    return decision


def told(decision: Decision) -> dict[str, Any]:
    """The decision as the log holds it: without the hash of the facts, which unsalted could be tried out."""
    shown: dict[str, Any] = msgspec.to_builtins(decision)
    del shown["facts_hash"]
    return shown
