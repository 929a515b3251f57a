"""Publication: read in one jail, hash outside, anonymise in the next, measure in a third, put in place."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from catalog.consenting import Consents
from catalog.history import Waiting
from catalog.intake import Pseudonymise
from catalog.limits import IngestLimits
from catalog.manifest import Manifest, read_manifest
from catalog.pii.gate import Answered, Override, require_answered
from catalog.pipeline.line import Order
from catalog.pipeline.record import Stage, StageRecord
from catalog.pipeline.run import Observe, Pipeline
from catalog.quality.report import QualityReport
from catalog.quality.suite import Suite
from catalog.risk.figures import Risk
from catalog.storage import Store
from catalog.version import Version
from catalog.working import workplace


class Report(Struct, frozen=True, kw_only=True):
    """Figures of a publication, for its owner. `read_ms` … are wall-clock."""

    rows_read: int
    events_read: int
    """Rows of the file, where several of them made a person; else 0."""
    rows_rejected: int
    """Rows left out because they could not be read; private/<version>/rejected.parquet says which and why."""
    format: str
    encoding: str
    delimiter: str
    without_consent: int
    rare_values_blanked: int
    read_ms: int
    anonymise_ms: int
    measure_ms: int
    waiting: tuple[Waiting, ...]
    risk: Risk | None
    """As measured on the finished files, each cohort a class of its own; None in dp mode."""
    quality: QualityReport | None = None
    """What the suite that came with the file found of it, where one came."""
    stages: tuple[StageRecord, ...] = ()


class Publication(Struct, frozen=True, kw_only=True):
    version: Version
    manifest: Manifest
    sample: list[dict[str, Any]]
    report: Report
    overridden: tuple[Answered, ...] = ()
    """What the scan for personal data found and a person answered for."""


def publish(
    manifest_text: str,
    source: Path,
    *,
    store: Store,
    pseudonymise: Pseudonymise,
    consents: Consents | None,
    previous: str | None,
    limits: IngestLimits,
    overrides: Sequence[Override] = (),
    suite: Suite | None = None,
    observe: Observe | None = None,
) -> Publication:
    """Make a version of `source` as the manifest says, and put it in the store. Blocking.

    `pseudonymise`: subject keys → 16 bytes each; `consents`: what the register says of persons; `previous`: the
    newest version of the lineage, from which this one may differ as `catalog.lineage` says; `overrides`: a
    person's answers to what the scan for personal data found, without which it stops; `suite`: what the data must
    keep to; `observe`: told of each stage.
    Raises ManifestRefused, PublicationRefused, SandboxFailed; then the store holds nothing of it.
    """
    manifest = read_manifest(manifest_text)
    order = Order(
        manifest=manifest, manifest_text=manifest_text, source=lambda: contextlib.nullcontext(source),
        source_sha256=digest_of(source), store=store, pseudonymise=pseudonymise, consents=consents,
        previous=previous, limits=limits, overrides=tuple(overrides), suite=suite,
    )  # fmt: skip
    with workplace(store) as folder:
        pipeline = Pipeline(order, folder)
        pipeline.run_all(observe)
        pipeline.place()
        return publication_of(pipeline)


def publication_of(pipeline: Pipeline) -> Publication:
    """What became of a pipeline whose stages have all passed."""
    done, records = pipeline.line.done, pipeline.records
    report = Report(
        rows_read=done.rows_read, events_read=done.read.events, rows_rejected=done.read.rejected,
        format=done.read.format,
        encoding=done.read.encoding, delimiter=done.read.delimiter, without_consent=done.without_consent,
        rare_values_blanked=done.rare_values_blanked,
        read_ms=_ms(records, "ingest"), anonymise_ms=_ms(records, "anonymise"),
        measure_ms=_ms(records, "bound") + _ms(records, "measure"),
        waiting=done.waiting, risk=done.risk, quality=pipeline.line.quality, stages=tuple(records.values()),
    )  # fmt: skip
    manifest, overrides = pipeline.line.manifest, pipeline.line.order.overrides
    return Publication(
        version=done.version, manifest=manifest, sample=done.sample, report=report,
        overridden=require_answered(manifest, done.read.detected, overrides),
    )  # fmt: skip


def digest_of(source: Path) -> str:
    """SHA-256 (hex) of a file; of a folder, over the names and digests of its files."""
    if source.is_dir():
        files = sorted(path for path in source.rglob("*") if path.is_file())
        said = "".join(f"{path.relative_to(source)}\0{digest_of(path)}\n" for path in files)
        return hashlib.sha256(said.encode()).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ms(records: dict[Stage, StageRecord], stage: Stage) -> int:
    return records[stage].duration_ms
