"""A floor of quality, told before a part is taken or opened: no suite measures what two owners' parts become."""

from __future__ import annotations

import time

from catalog.manifest import Manifest
from marketplace.linkages.errors import FloorStands
from marketplace.listings.facts import manifest_facts
from policies.decision import Caller, ListingQuestion, VersionFacts
from policies.engine import Engine

_UNMEASURED = "quality.not_measured"


async def require_no_floor(engine: Engine, *, caller: Caller, manifest: Manifest) -> None:
    """Raises FloorStands where the policy lists no version of it that nobody measured, whatever else it is."""
    asked = ListingQuestion(
        at_ms=time.time_ns() // 1_000_000,
        stage="version",
        caller=caller,
        manifest=manifest_facts(manifest),
        version=VersionFacts(id=manifest.dataset),
    )
    decision = await engine.decide(asked)
    floors = sorted(r.params["axis"] for r in decision.reasons if r.code == _UNMEASURED)
    if floors:
        raise FloorStands(axes=", ".join(floors))
