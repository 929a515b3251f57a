"""What a version says of its persons beside what is listed already: measured once it is made, told on its page."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from sqlalchemy import text

from catalog.errors import VersionDamaged
from catalog.pipeline.record import Finding, Severity, StageRecord
from catalog.pipeline.run import Pipeline
from catalog.risk.combination import combine, shared_columns, told, word_of
from catalog.storage import Store
from catalog.version import Version
from marketplace.listings.press import Press
from marketplace.publications.ground import Ground
from sandbox.job import SandboxFailed

logger = logging.getLogger(__name__)

OTHERS_MOST: Final = 5
"""Each is a jail and a pass over both; the newest ones are what a buyer would join first."""
_OTHERS = text("""
select slug, current_version_id as version_id from dataset
where current_version_id is not null and slug <> :slug
  and (owner_id = :owner or manifest ->> 'population' = :population)
order by created_at desc limit :most
""")


async def with_combinations(press: Press, ground: Ground, pipeline: Pipeline, record: StageRecord) -> StageRecord:
    """The record of the stage that measures, with a finding for each listed dataset that it could be joined with.

    Of the owner, or of the same population. Nobody is stopped by it: what to do is the owner's to judge.
    """
    if pipeline.version.mode == "dp":
        return record
    asked = {
        "slug": ground.manifest.dataset, "owner": ground.by.organisation_id,
        "population": ground.manifest.population, "most": OTHERS_MOST,
    }  # fmt: skip
    others = await press.database.all(_OTHERS, asked)
    found = [await asyncio.to_thread(_beside, press, pipeline, each.slug, each.version_id) for each in others]
    return replace(record, findings=(*record.findings, *(each for each in found if each is not None)))


def _beside(press: Press, pipeline: Pipeline, slug: str, version_id: str) -> Finding | None:
    """None where nothing is shared to join by, or the other one cannot be read."""
    config, version = press.config, pipeline.version
    limits = config.ingest_limits()
    try:
        other = press.store.version(version_id)
        if other.mode == "dp" or not shared_columns(version, other):
            return None
        mine = [pipeline.made_in / part.name for part in version.parts]
        combined = combine(version, mine, other, _listed(press.store, other), limits)
    except (VersionDamaged, SandboxFailed) as failed:
        logger.warning("publication beside %s is not measured: %s", slug, type(failed).__name__)
        return None
    word = word_of(combined)
    severity: Severity = "warn" if word == "publication.combination_narrow" else "note"
    return Finding(code=word, key=slug, severity=severity, params=told(combined, slug))


def _listed(store: Store, version: Version) -> list[Path]:
    return [store.public(version.id) / part.name for part in version.parts]
