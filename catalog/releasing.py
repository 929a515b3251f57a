"""A finished version: what is said of it, and how it comes into the store, whole or not at all."""

from __future__ import annotations

import hashlib
import math
import os
import re
import shutil
import time
from pathlib import Path

import msgspec
import numpy as np
from msgspec import UNSET
from msgspec.structs import replace

from catalog.coding import words_of
from catalog.history import History, write_history
from catalog.intake import Intake
from catalog.making import Made, MadePart
from catalog.manifest import Manifest, ManifestColumn
from catalog.reading import STORED_TYPE
from catalog.storage import Store, sync, version_hash
from catalog.subjects import write_subjects
from catalog.version import LeftOut, Measured, Part, Version, VersionColumn
from catalog.wire import AnonymiseReply, MeasureReply


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


def left_out_of(reply: AnonymiseReply, *, rounded: bool) -> LeftOut:
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
    return VersionColumn(
        name=column.sql_name, type=made.reply.types.get(column.sql_name, STORED_TYPE[column.type]),
        role=column.published_role,
        personal=column.personal, meaning_vi=meaning.vi, meaning_en=meaning.en, transform=words_of(column),
        logical_bytes=made.reply.logical_bytes[column.sql_name], bounds=column.bounds or UNSET,
        values=column.values or UNSET,
    )  # fmt: skip


def _part(part: MadePart, manifest: Manifest) -> Part:
    consented = None
    if manifest.legal_basis.kind == "consent":
        consented = tuple(p for bit, p in enumerate(manifest.purposes) if part.mask >> bit & 1)
    return Part(name=part.path.name, sha256=part.sha256, rows=part.rows, consented=consented)


def put(store: Store, folder: Path, version: Version, intake: Intake, made: Made, history: History | None) -> None:
    """`prepare` and `place` in one."""
    prepare(folder, version, intake, made, history)
    place(store, folder, version.id)


def prepare(folder: Path, version: Version, intake: Intake, made: Made, history: History | None) -> None:
    """Two finished folders, synced: what everybody's queries may read, and what only the broker may."""
    public, private = folder / "public", folder / "private"
    public.mkdir(mode=0o755)
    private.mkdir(mode=0o700)
    for part in made.parts:
        os.link(part.path, public / part.path.name)
    (public / "version.json").write_bytes(msgspec.json.format(msgspec.json.encode(version), indent=1))
    (public / "version.json").chmod(0o444)
    np.save(private / "cohorts.npy", made.ranges)
    if history is not None:
        write_history(private, history)
    if intake.rejected is not None:
        os.link(intake.rejected, private / intake.rejected.name)
    if intake.pseudonyms is not None and intake.ascending is not None:
        write_subjects(private / "subjects.bin", intake.pseudonyms, intake.ascending, made.cohort)
    for file in (*public.iterdir(), *private.iterdir()):
        if file.parent == private:
            file.chmod(0o600)
        sync(file)
    for ready in (public, private):
        sync(ready)


def place(store: Store, folder: Path, version_id: str) -> None:
    """Both folders moved into the store: the private one first, so a public version is always whole.

    Again is harmless: what a killed process had moved is there."""
    for ready, there in (
        (folder / "private", store.private(version_id)),
        (folder / "public", store.public(version_id)),
    ):
        if not ready.exists() and there.exists():
            continue
        os.utime(ready)  # it may have waited for people for weeks: a sweep goes by how long it is in the store
        os.rename(ready, there)  # noqa: PTH104 - one step, and an error if something is there
        sync(there.parent)


def placed_versions(store: Store) -> dict[str, float]:
    """Versions in the store, whole or not → when they were put there (seconds since 1970)."""
    found: dict[str, float] = {}
    for name in ("versions", "private"):
        for folder in (store.root / name).iterdir():
            if re.fullmatch("[0-9a-f]{64}", folder.name):
                found[folder.name] = max(found.get(folder.name, 0.0), folder.stat().st_mtime)
    return found


def remove_version(store: Store, version_id: str) -> None:
    """Take a version that nobody released out of the store; the public folder first, as it came last."""
    for folder in (store.public(version_id), store.private(version_id)):
        shutil.rmtree(folder, ignore_errors=True)
