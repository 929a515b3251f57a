"""Many events at once, from an owner's file: staged by COPY, written in sets, each owner's event id once.

The long part holds no lock. Only at the end, when all is written, the dataset and its version are locked, and
whoever withdrew goes with all cohorts in one step.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.limits import IngestLimits
from catalog.records import is_table, write_lines
from catalog.storage import Store
from marketplace.accounts.senders import Sender, record_sent
from marketplace.claimed import working_folder
from marketplace.config import Config
from marketplace.consents.actions import LineageKeys
from marketplace.consents.errors import FileRefused, ImportUnderWay, TableRefused
from marketplace.consents.lines import COLUMNS, Lines
from marketplace.consents.rules import rules_of
from marketplace.consents.schemas import Imported
from marketplace.consents.staging import Staging
from marketplace.consents.writing import bite, rows_digest, write
from marketplace.db.base import micros_of, utcnow
from marketplace.db.engine import Database
from marketplace.errors import NotFound
from marketplace.jailed import told_as

ERRORS_SHOWN = 100
"""Of a refusal: a problem is read by people."""

_DATASET = text(
    "SELECT id, lineage_id, manifest FROM dataset WHERE id = :id AND owner_id = :owner AND linkage_id IS NULL"
)
_ALONE = text("SELECT pg_try_advisory_xact_lock(hashtextextended('consents:' || CAST(:id AS text), 0))")


class Importing(Struct, frozen=True, kw_only=True):
    """What taking a file needs of the service."""

    config: Config
    database: Database
    store: Store
    keys: LineageKeys


async def import_events(
    parts: Importing, *, by: Sender, dataset_id: UUID, source: Path, all_or_nothing: bool
) -> Imported:
    """Take a CSV, NDJSON, Arrow or Parquet file. A wrong line is told and the rest kept, or the whole refused.

    Raises NotFound, NoSubjects, FileNotUnderstood, FileRefused, TableRefused, TooManyLines, ImportUnderWay,
    Unavailable.
    """
    async with working_folder(parts.config.path("uploads")) as place:
        lines_file = await asyncio.to_thread(_as_lines, source, place / "lines", parts.config)
        digest = await asyncio.to_thread(_sha256, source)
        with lines_file.open("rb") as file:
            lines = await asyncio.to_thread(Lines, file, max_lines=parts.config.consents_file_max_lines)
            async with parts.database.session() as session:
                return await _import(session, parts, by, dataset_id, lines, digest, all_or_nothing)


def _as_lines(source: Path, target: Path, config: Config) -> Path:
    """The file itself if it is text; else the lines that a jail made of it."""
    if not is_table(source):
        return source
    limits = IngestLimits(
        deadline_ms=config.ingest_deadline_ms,
        memory_bytes=config.ingest_memory_bytes,
        max_rows=config.consents_file_max_lines,
        max_bytes=config.consents_file_max_bytes,
        max_output_bytes=2 * config.consents_file_max_bytes,
    )
    with told_as(TableRefused):
        write_lines(source, target, columns=COLUMNS, limits=limits)
    return target


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


async def _import(
    session: AsyncSession,
    parts: Importing,
    by: Sender,
    dataset_id: UUID,
    lines: Lines,
    digest: str,
    all_or_nothing: bool,
) -> Imported:
    found = await session.execute(_DATASET, {"id": dataset_id, "owner": by.organisation_id})
    dataset = found.one_or_none()
    if dataset is None:
        raise NotFound
    now = utcnow()
    # No allowance for clocks that run ahead: what is recorded is what was sent, so a file sent again is the same.
    rules = rules_of(dataset.manifest, now=now, skew=timedelta(0))
    if not await session.scalar(_ALONE, {"id": dataset_id}):
        raise ImportUnderWay
    key = parts.keys.lineage(dataset.lineage_id)
    staging = Staging(lines, rules=rules, key=key, dataset_id=dataset_id, by=by.person_id)
    imported = await write(session, staging, dataset_id)
    _refuse(staging, all_or_nothing)
    await record_sent(
        session,
        "consent:import",
        by,
        dataset_id=dataset_id,
        body={
            "given": imported.given,
            "withdrawn": imported.withdrawn,
            "revoked": imported.revoked,
            "already": imported.already,
            "wrong": imported.fault_count,
            "via": by.via,
            "recorded_us": micros_of(now),
        },
        secrets={"file_sha256": digest, "rows": await rows_digest(session, staging)},
    )
    await bite(session, parts.store, by, staging, imported)
    return imported


def _refuse(staging: Staging, all_or_nothing: bool) -> None:
    if all_or_nothing and staging.fault_count:
        errors = [
            {"path": "file", "code": each.code, "params": each.params, "line": each.line, "column": 1}
            for each in staging.faults[:ERRORS_SHOWN]
        ]
        raise FileRefused(errors=errors, count=staging.fault_count)
