"""What the catalogue and a dataset's page show, on the wire and on pages."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from catalog.history import Waiting
from catalog.version import LeftOut, Measured, Version, VersionColumn
from marketplace.billing.terms import Terms
from marketplace.listings.models import Dataset, DatasetVersion
from marketplace.search.facets import Facet
from marketplace.search.highlight import Piece
from policies.decision import Conditions


class SixClear(Struct, frozen=True, kw_only=True):
    """The "6 rõ" of an application or a publication, as facts and not as prose."""

    who: str
    what: str
    when: datetime
    responsibility: str
    product: str
    authority: str


class PriceView(Struct, frozen=True, kw_only=True):
    """What everybody is offered; in whole đồng `base_vnd` a query, `per_gb_vnd` for 10⁹ bytes of columns."""

    offer_id: uuid.UUID
    terms: Terms
    base_vnd: int
    per_gb_vnd: int
    max_seconds: int | None
    """The longest that a query may run, where the owner set one."""
    valid_from: datetime


class VersionView(Struct, frozen=True, kw_only=True):
    """A line of the list of releases; k is the measured one."""

    id: str
    number: int
    released_at: datetime
    rows: int
    persons: int
    k: int


class NewestVersion(Struct, frozen=True, kw_only=True):
    """The version that can be asked, with what was measured on its files."""

    id: str
    number: int
    released_at: datetime
    rows: int
    persons: int
    cohorts: int
    k: int
    """The k that the owner asked for; `measured.k` is what came of it."""
    measured: Measured
    fine_share: float
    tells_level: bool
    """Whether SQL may ask `cohort_level`: 'fine', 'fallback', 'fallback_2' …."""
    cross_products: tuple[tuple[str, str], ...]
    """Pairs of measures that may be multiplied, correlated, regressed."""
    left_out: LeftOut
    manifest_sha256: str
    worn: bool
    """So many persons have left it since that its owner should publish it anew."""
    state_class: str | None
    personal_class: str | None
    """By the thresholds in force when it was listed; None for a version listed before classes were computed."""


class WaitingPage(Struct, frozen=True, kw_only=True):
    """Whom the newest version does not show, told to its owner; `released_at` is the version's."""

    version_id: str
    number: int
    released_at: datetime
    waiting: tuple[Waiting, ...]


class SampleView(Struct, frozen=True, kw_only=True):
    """Generated rows. `synthetic` is always true: they share no record with the data."""

    synthetic: bool
    rows: tuple[dict[str, Any], ...]


class DatasetSummary(Struct, frozen=True, kw_only=True):
    """A line of the catalogue."""

    id: uuid.UUID
    slug: str
    title_vi: str
    title_en: str
    description_vi: str
    description_en: str
    owner_name: str
    themes: tuple[str, ...]
    purposes: tuple[str, ...]
    mode: str
    k: int
    persons: int
    worn: bool
    released_at: datetime
    title_vi_pieces: tuple[Piece, ...]
    """The title with the words that were searched for marked, and so the others; descriptions are cut."""
    title_en_pieces: tuple[Piece, ...]
    description_vi_pieces: tuple[Piece, ...]
    description_en_pieces: tuple[Piece, ...]


class OwnedDataset(Struct, frozen=True, kw_only=True):
    """A dataset as its owner's lists name it."""

    slug: str
    title_vi: str
    title_en: str
    privacy_unit: str | None


class SearchedFor(Struct, frozen=True, kw_only=True):
    """Folded words. `mended`: they are not those that were typed; `partly`: some datasets lack some of them."""

    words: str
    mended: bool
    partly: bool


class DatasetList(Struct, frozen=True, kw_only=True):
    """`found`: how many there are; with `more` at least so many, and facets are counted in those alone."""

    items: tuple[DatasetSummary, ...]
    next: str | None
    found: int
    more: bool
    facets: tuple[Facet, ...]
    looked_for: SearchedFor | None


class DatasetPage(Struct, frozen=True, kw_only=True):
    """Everything that is said in public about a dataset and its newest version."""

    id: uuid.UUID
    slug: str
    title_vi: str
    title_en: str
    description_vi: str
    description_en: str
    owner_name: str
    owner_slug: str
    licence: str
    themes: tuple[str, ...]
    spatial: str
    temporal: str
    update_frequency: str
    population: str
    mode: str
    privacy_unit: str
    legal_basis: str
    purposes: tuple[str, ...]
    conditions: Conditions
    price: PriceView | None
    version: NewestVersion
    versions: tuple[VersionView, ...]
    columns: tuple[VersionColumn, ...]
    sample: SampleView
    six_clear: SixClear


def newest_version(row: DatasetVersion, version: Version) -> NewestVersion:
    """A release with its figures."""
    return NewestVersion(
        id=row.id,
        number=row.number,
        released_at=row.created_at,
        rows=version.rows,
        persons=version.persons,
        cohorts=version.cohorts,
        k=version.k,
        measured=version.measured,
        fine_share=version.fine_share,
        tells_level=bool(version.tells_level),
        cross_products=version.cross_products or (),
        left_out=version.left_out,
        manifest_sha256=version.manifest_sha256,
        worn=row.worn_at is not None,
        state_class=row.state_class,
        personal_class=row.personal_class,
    )


def dataset_page(
    dataset: Dataset,
    row: DatasetVersion,
    *,
    owner_name: str,
    owner_slug: str,
    price: PriceView | None,
    versions: tuple[VersionView, ...],
) -> DatasetPage:
    """Put together from rows already read."""
    version = msgspec.convert(row.body, Version)
    return DatasetPage(
        id=dataset.id,
        slug=dataset.slug,
        title_vi=dataset.title_vi,
        title_en=dataset.title_en,
        description_vi=dataset.description_vi,
        description_en=dataset.description_en,
        owner_name=owner_name,
        owner_slug=owner_slug,
        licence=dataset.licence,
        themes=tuple(dataset.themes),
        spatial=dataset.spatial,
        temporal=dataset.temporal,
        update_frequency=dataset.update_frequency,
        population=version.population,
        mode=version.mode,
        privacy_unit=version.privacy_unit,
        legal_basis=version.legal_basis,
        purposes=version.purposes,
        conditions=version.conditions or Conditions(),
        price=price,
        version=newest_version(row, version),
        versions=versions,
        columns=version.columns,
        sample=SampleView(synthetic=True, rows=tuple(row.sample)),
        six_clear=six_clear(dataset, row, version, owner_name),
    )


def six_clear(dataset: Dataset, row: DatasetVersion, version: Version, owner_name: str) -> SixClear:
    """Of a publication: the owner answers for it, its authority is the legal basis."""
    return SixClear(
        who=owner_name,
        what=dataset.title_vi,
        when=row.created_at,
        responsibility=owner_name,
        product=f"{dataset.slug} · {row.number} · {row.id[:12]}",
        authority=version.legal_basis,
    )
