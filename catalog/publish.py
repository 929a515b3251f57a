"""Publication: read in one jail, hash outside, anonymise in the next, measure in a third, put in place."""

from __future__ import annotations

import errno
import hashlib
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET, Struct
from msgspec.structs import replace

from catalog.cohorts import Ints
from catalog.errors import PublicationRefused
from catalog.history import History, Waiting, follow, placed, write_history
from catalog.intake import Consented, Intake, Pseudonymise, consent_masks, read_source
from catalog.limits import IngestLimits
from catalog.making import Made, MadePart, anonymise, measure
from catalog.manifest import Manifest, ManifestColumn, column_lines, read_manifest
from catalog.persons import require_same_privacy, write_persons
from catalog.pii.detect import scan_order
from catalog.pii.gate import Answered, Override, require_answered
from catalog.quality.gate import require_quality
from catalog.quality.report import QualityReport
from catalog.quality.suite import Suite
from catalog.reading import STORED_TYPE
from catalog.recheck.version import recheck
from catalog.restoring import read_book, require_the_same
from catalog.risk.figures import Risk
from catalog.storage import Store, sync, version_hash
from catalog.subjects import write_subjects
from catalog.transforms import describe
from catalog.version import LeftOut, Measured, Part, Version, VersionColumn
from catalog.wire import AnonymiseReply, MeasureReply

_ABANDONED_S = 86_400


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
    consented: Consented | None,
    previous: str | None,
    limits: IngestLimits,
    withdrawn: Consented | None = None,
    overrides: Sequence[Override] = (),
    suite: Suite | None = None,
) -> Publication:
    """Make a version of `source` as the manifest says, and put it in the store. Blocking.

    `pseudonymise`: subject keys → 16 bytes each; `consented`: pseudonyms → purpose → those who consent now;
    `withdrawn`: the same for those who took it back (it outweighs the file); `previous`: the newest version of the
    lineage, from which this one may differ as `catalog.lineage` says; `overrides`: a person's answers to what the
    scan for personal data found, without which it stops; `suite`: what the data must keep to. Raises
    ManifestRefused, PublicationRefused, SandboxFailed; then the store holds nothing of it.
    """
    manifest = read_manifest(manifest_text)
    with workplace(store) as folder, space():
        began = time.monotonic()
        intake = read_source(
            manifest, column_lines(manifest_text), source, folder, pseudonymise=pseudonymise, limits=limits,
            scan=scan_order(manifest),
        )  # fmt: skip
        answered = require_answered(manifest, intake.reply.detected, overrides)
        read = time.monotonic()
        quality = require_quality(manifest, suite, intake.persons, limits) if suite is not None else None
        mask = consent_masks(manifest, intake, consented, withdrawn)
        if manifest.mode == "dp":
            made_of = _publish_persons(
                manifest, manifest_text, intake, mask, store, folder, previous, limits, began
            )
            return replace(made_of, overridden=answered, report=replace(made_of.report, quality=quality))
        history, lost = read_book(store, previous)
        past = placed(history, intake) if history else None
        made = anonymise(manifest, intake, mask, folder, limits, past)
        formed = time.monotonic()
        measured = measure(manifest, intake, made, folder, limits)
        recheck(manifest, intake, mask, made, history, past, limits)
        if lost is not None:
            require_the_same(store, lost, made, intake)
        done = time.monotonic()
        left_out = _left_out(made.reply, rounded=previous is not None)
        version = version_of(manifest, manifest_text, made, measured, left_out, previous)
        history, waiting = follow(history, made, intake, mask, version.created_at_ms)
        put(store, folder, version, intake, made, history)
    report = _report(intake, made, (began, read, formed, done), waiting, measured.risk)
    return Publication(
        version=version, manifest=manifest, sample=made.reply.sample, overridden=answered,
        report=replace(report, quality=quality),
    )  # fmt: skip


def _publish_persons(
    manifest: Manifest, text: str, intake: Intake, mask: Ints, store: Store, folder: Path, previous: str | None,
    limits: IngestLimits, began: float,
) -> Publication:  # fmt: skip
    """dp mode: no cohorts, nothing to measure and no book, for no answer shows anybody as anything."""
    read = time.monotonic()
    require_same_privacy(manifest, store.version(previous) if previous else None)
    made = write_persons(manifest, intake, mask, folder, limits)
    done = time.monotonic()
    alone = MeasureReply(k=1, rows=made.reply.rows, persons=made.reply.persons)
    nobody = LeftOut(persons=0, classes=0, share=0.0)
    version = version_of(manifest, text, made, alone, nobody, previous)
    put(store, folder, version, intake, made, None)
    report = _report(intake, made, (began, read, done, done), (), None)
    return Publication(version=version, manifest=manifest, sample=[], report=report)


def _report(
    intake: Intake, made: Made, at: tuple[float, float, float, float], waiting: tuple[Waiting, ...],
    risk: Risk | None,
) -> Report:  # fmt: skip
    """`at`: when it began, had read, had formed cohorts, was done."""
    began, read, formed, done = at
    return Report(
        rows_read=intake.rows, events_read=intake.reply.events,
        rows_rejected=intake.reply.rejected, format=intake.reply.format,
        encoding=intake.reply.encoding, delimiter=intake.reply.delimiter,
        without_consent=made.reply.without_consent, rare_values_blanked=made.reply.rare_values_blanked,
        read_ms=_ms(began, read), anonymise_ms=_ms(read, formed), measure_ms=_ms(formed, done),
        waiting=waiting, risk=risk,
    )  # fmt: skip


def _ms(begin: float, end: float) -> int:
    return round(1000 * (end - begin))


@contextmanager
def workplace(store: Store) -> Iterator[Path]:
    """A private folder that is gone afterwards; those of dead processes go after a day."""
    incoming = store.root / "incoming"
    for old in incoming.iterdir():
        if time.time() - old.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(old, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(dir=incoming))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def space() -> Iterator[None]:
    """Raises PublicationRefused where the disk is full."""
    try:
        yield
    except OSError as e:
        if e.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise PublicationRefused("publication.disk_full") from e
        raise


def version_of(
    manifest: Manifest, text: str, made: Made, measured: MeasureReply, left_out: LeftOut, previous: str | None
) -> Version:
    """What is said of the finished files, named by its hash."""
    reply = made.reply
    hidden = ("sensitive",) if manifest.mode == "aggregate" else ()
    shown = [c for c in manifest.shown_columns() if c.role not in hidden]
    version = Version(
        dataset=manifest.dataset, mode=manifest.mode, privacy_unit=manifest.privacy_unit,
        population=manifest.population, rows=reply.rows, persons=reply.persons,
        cohorts=reply.cohorts, k=manifest.k if manifest.mode != "dp" else measured.k,
        measured=_measured(measured),
        fine_share=round(reply.fine_persons / reply.persons, 6),
        left_out=left_out,
        columns=tuple(_column(c, made) for c in shown),
        parts=tuple(_part(p, manifest) for p in made.parts),
        purposes=manifest.purposes, legal_basis=manifest.legal_basis.kind,
        manifest_sha256=hashlib.sha256(text.encode()).hexdigest(), created_at_ms=time.time_ns() // 1_000_000,
        parent=previous, conditions=manifest.conditions or UNSET, cross_products=manifest.cross_products or UNSET,
        tells_level=True if manifest.mode == "aggregate" else UNSET, privacy=manifest.privacy or UNSET,
    )  # fmt: skip
    return replace(version, id=version_hash(version))


def _measured(reply: MeasureReply) -> Measured:
    """The worst of each, with as many digits as anybody reads; no name, for sensitive columns may be hidden."""
    risk = reply.risk
    if risk is None:
        return Measured(k=reply.k, l=reply.l, entropy_l=None, t=None)
    worst = {
        name: round(max(found), 4)
        for name in ("t_ordered", "alpha", "recursive_c", "beta", "delta")
        if (found := [value for one in risk.sensitive if (value := getattr(one, name)) is not None])
    }
    entropy_l, t = (None if figure is None else round(figure, 4) for figure in (risk.entropy_l, risk.t))
    return Measured(k=reply.k, l=reply.l, entropy_l=entropy_l, t=t, **worst)


def _left_out(reply: AnonymiseReply, *, rounded: bool) -> LeftOut:
    """Of a next version only whole percents: the exact number would tell of one person more or less who waits."""
    share = reply.left_out_persons / (reply.persons + reply.left_out_persons)
    if not rounded:
        return LeftOut(persons=reply.left_out_persons, classes=reply.left_out_classes, share=round(share, 6))
    percents = math.ceil(100 * share)
    return LeftOut(
        persons=round(reply.persons * percents / max(100 - percents, 1)), classes=0, share=percents / 100
    )


def _column(column: ManifestColumn, made: Made) -> VersionColumn:
    meaning = column.meaning
    assert meaning is not None  # a manifest without it is refused
    words = " | ".join(describe(t) for t in (column.transform, *column.fallbacks))
    return VersionColumn(
        name=column.sql_name, type=made.reply.types.get(column.sql_name, STORED_TYPE[column.type]),
        role=column.published_role,
        personal=column.personal, meaning_vi=meaning.vi, meaning_en=meaning.en, transform=words,
        logical_bytes=made.reply.logical_bytes[column.sql_name], bounds=column.bounds or UNSET,
        values=column.values or UNSET,
    )  # fmt: skip


def _part(part: MadePart, manifest: Manifest) -> Part:
    consented = None
    if manifest.legal_basis.kind == "consent":
        consented = tuple(p for bit, p in enumerate(manifest.purposes) if part.mask >> bit & 1)
    return Part(name=part.path.name, sha256=part.sha256, rows=part.rows, consented=consented)


def put(store: Store, folder: Path, version: Version, intake: Intake, made: Made, history: History | None) -> None:
    """Two finished folders, synced, then moved: the private one first, so a public version is always whole."""
    public, private = folder / "public", folder / "private"
    public.mkdir(mode=0o755)
    private.mkdir(mode=0o700)
    for part in made.parts:
        part.path.rename(public / part.path.name)
    (public / "version.json").write_bytes(msgspec.json.format(msgspec.json.encode(version), indent=1))
    (public / "version.json").chmod(0o444)
    np.save(private / "cohorts.npy", made.ranges)
    if history is not None:
        write_history(private, history)
    if intake.rejected is not None:
        intake.rejected.rename(private / intake.rejected.name)
    if intake.pseudonyms is not None and intake.ascending is not None:
        write_subjects(private / "subjects.bin", intake.pseudonyms, intake.ascending, made.cohort)
    for file in (*public.iterdir(), *private.iterdir()):
        if file.parent == private:
            file.chmod(0o600)
        sync(file)
    for ready, place in ((private, store.private(version.id)), (public, store.public(version.id))):
        sync(ready)
        os.rename(ready, place)  # noqa: PTH104 - one step, and an error if something is there
        sync(place.parent)
