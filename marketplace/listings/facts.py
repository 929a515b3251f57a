"""What the policy has to know of a dataset and of a publication, from what is at hand."""

from __future__ import annotations

from typing import Literal, cast
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from catalog.manifest import Manifest
from catalog.quality.report import QualityReport
from catalog.search import fold
from catalog.version import Personal, Version
from policies.decision import (
    AxisPermilles,
    Caller,
    ColumnFacts,
    Conditions,
    DatasetFacts,
    ManifestFacts,
    Mode,
    PrivacyFacts,
    StateClass,
    VersionFacts,
)

Stage = Literal["manifest", "version"]
SHOWN: dict[Mode, tuple[str, ...]] = {
    "rows": ("quasi-identifier", "sensitive"),
    "aggregate": ("quasi-identifier", "measure"),
    "dp": ("quasi-identifier", "sensitive", "measure"),
}
"""Roles of the columns that SQL may name."""


def dataset_facts(dataset_id: UUID, version: Version | None, *, state_class: str | None) -> DatasetFacts:
    """No version is listed: nothing about it is known, so nothing is allowed."""
    if version is None:
        return DatasetFacts(id=str(dataset_id), listed=False)
    return DatasetFacts(
        id=str(dataset_id),
        version_id=version.id,
        listed=True,
        mode=version.mode,
        k=version.k,
        persons=version.persons,
        columns=tuple(c.name for c in version.columns),
        basic_columns=_columns(version, "basic"),
        sensitive_columns=_columns(version, "sensitive"),
        purposes=version.purposes,
        conditions=version.conditions or Conditions(),
        legal_basis=version.legal_basis,
        consented_purposes=version.consented_purposes,
        state_class=cast(StateClass | None, state_class),
    )


def _columns(version: Version, personal: Personal) -> tuple[str, ...]:
    return tuple(c.name for c in version.columns if c.personal == personal)


def presumed_publisher(owner_slug: str) -> Caller:
    """Who would publish, where nobody is known: taken to be fit, so that the dataset alone is judged."""
    return Caller(
        person_id=owner_slug,
        organisation_id=owner_slug,
        organisation_kind="owner",
        organisation_slug=owner_slug,
        roles=("steward",),
        active=True,
        organisation_suspended=False,
    )


def manifest_facts(manifest: Manifest) -> ManifestFacts:
    """What the owner says; themes folded, so that neither case nor diacritics hide one."""
    shown = SHOWN[manifest.mode]
    return ManifestFacts(
        dataset=manifest.dataset,
        mode=manifest.mode,
        themes=tuple(fold(theme) for theme in manifest.themes),
        purposes=manifest.purposes,
        legal_basis=manifest.legal_basis.kind,
        law=manifest.legal_basis.law,
        k=manifest.k,
        l=manifest.l,
        columns=tuple(
            ColumnFacts(name=c.sql_name, role=c.published_role, personal=c.personal)
            for c in manifest.shown_columns()
            if c.role in shown
        ),
        conditions=manifest.conditions or Conditions(),
        privacy=_privacy(manifest),
        quality=UNSET if manifest.quality is None else manifest.quality,
    )


def _privacy(manifest: Manifest) -> PrivacyFacts | UnsetType:
    said = manifest.privacy
    return UNSET if said is None else PrivacyFacts(**msgspec.structs.asdict(said))


def announced_facts(manifest: Manifest, *, persons: int) -> DatasetFacts:
    """What a version by this manifest would be, of so many persons, if it is as the manifest says."""
    columns = manifest_facts(manifest).columns or ()
    return DatasetFacts(
        id=manifest.dataset,
        version_id=manifest.dataset,
        listed=True,
        mode=manifest.mode,
        k=manifest.k if manifest.mode != "dp" else 1,
        persons=persons,
        columns=tuple(c.name for c in columns),
        basic_columns=tuple(c.name for c in columns if c.personal == "basic"),
        sensitive_columns=tuple(c.name for c in columns if c.personal == "sensitive"),
        purposes=manifest.purposes,
        conditions=manifest.conditions or Conditions(),
        legal_basis=manifest.legal_basis.kind,
        consented_purposes=tuple(p for p in manifest.purposes if p in manifest.consent),
    )


def version_facts(version: Version, quality: QualityReport | None) -> VersionFacts:
    """What was made, and measured on the finished files; `quality`: what a suite found of the file."""
    return VersionFacts(
        id=version.id,
        persons=version.persons,
        measured_k=version.measured.k,
        measured_l=version.measured.l,
        consented_purposes=version.consented_purposes,
        manifest_sha256=version.manifest_sha256,
        quality=UNSET if quality is None else _scores(quality),
    )


def _scores(quality: QualityReport) -> AxisPermilles:
    return AxisPermilles(**{f"{score.axis}_permille": score.permille for score in quality.scores})
