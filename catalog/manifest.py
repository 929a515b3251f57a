"""What an owner says of a dataset, in YAML: read whole, with every error at once, each with its place."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from catalog.column_rules import BAND
from catalog.errors import ManifestError, ManifestRefused
from catalog.events import EventColumn
from catalog.manifest_rules import check_rules
from catalog.positioned import compose
from catalog.reader import read_struct
from catalog.reading import ManifestRole, Reading, TextType
from catalog.transforms import Transform
from catalog.version import Personal, Privacy, Role
from policies.decision import AxisPermilles, Conditions
from sandbox.job import Bounds, Mode

Purpose = Literal[
    "research", "research.academic", "research.health", "product.rnd", "public.service", "fraud.prevention",
    "model.training", "trial.quality",
]  # fmt: skip
Slug = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{1,62}\Z")]
OwnerSlug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}\Z")]
Words = Annotated[str, Meta(min_length=1)]
Amount = Annotated[int, Meta(ge=0, le=10**12)]


class Bilingual(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    vi: Words
    en: Words


class LegalBasis(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`law`: id of the article in the configured list of laws."""

    kind: Literal["consent", "law", "public", "contract"]
    law: Words


class ManifestOffer(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Đồng per query, and per 10⁹ logical bytes of the columns read; `max_seconds`: the longest one may run."""

    base_vnd: Amount
    per_gb_vnd: Amount
    max_seconds: Annotated[int, Meta(ge=1, le=86_400)] | None = None


class Contact(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to ask about the dataset: an office, not a person."""

    name: Words
    email: Annotated[str, Meta(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}\Z")]


class Cover(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture for the catalogue, and what it shows for whoever cannot see it."""

    url: Annotated[str, Meta(pattern=r"^https://[^\s]{1,500}\Z")]
    shows: Bilingual


class ManifestColumn(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`name` is the column's name in the file, `shown_as` (YAML: as) the name in SQL, if another."""

    name: Words
    role: ManifestRole
    shown_as: Slug | None = field(default=None, name="as")
    type: TextType = "text"
    format: Words | None = None
    """Of a date or timestamp, as strptime writes it; None: ISO 8601, or 31/12/2025."""
    personal: Personal = "none"
    meaning: Bilingual | None = None
    transform: Transform | None = None
    fallback: Transform | Annotated[tuple[Transform | None, ...], Meta(min_length=1)] | None = None
    """One coarser level, or several: each is tried for those who fit into no cohort at the one before. In a list
    None stands for what `transform` says."""
    bounds: Bounds | None = None
    """dp mode: makes a number one that may be added up, averaged and so on."""
    values: Annotated[tuple[Words, ...], Meta(min_length=1)] | None = None
    """dp mode: every value that a text may have; others refuse the file. Its groups are then all shown."""
    bands: Annotated[tuple[float, ...], Meta(min_length=1)] | None = None
    """Of a measure: lower bounds of bands, shown as a dimension of their own."""
    term: Words | None = None
    """Id in the common data dictionary (`catalog/describe/terms.json`)."""

    @property
    def sql_name(self) -> str:
        return self.shown_as or self.name

    @property
    def fallbacks(self) -> tuple[Transform | None, ...]:
        """What each coarser level shows, finest first."""
        if self.fallback is None:
            return ()
        said = (self.fallback,) if isinstance(self.fallback, Transform) else self.fallback
        return tuple(transform or self.transform for transform in said)

    @property
    def published_role(self) -> Role:
        """The role in a version. ValueError for a column that does not get there."""
        if self.role == "identifier" or self.role == "drop":  # noqa: PLR1714 - narrows the type
            raise ValueError(self.role)
        return self.role


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    dataset: Slug = field(name="slug")
    title: Bilingual
    description: Bilingual
    owner: OwnerSlug
    licence: Words
    source: Words
    themes: Annotated[tuple[Words, ...], Meta(min_length=1)]
    spatial: Words
    temporal: Words
    update_frequency: Literal["once", "daily", "weekly", "monthly", "quarterly", "yearly", "irregular"]
    population: OwnerSlug
    privacy_unit: Literal["row", "column"]
    mode: Mode
    legal_basis: LegalBasis
    purposes: Annotated[tuple[Purpose, ...], Meta(min_length=1)]
    offer: ManifestOffer
    columns: Annotated[tuple[ManifestColumn, ...], Meta(min_length=1)]
    conditions: Conditions | None = None
    quality: AxisPermilles | None = None
    """Floors: a version that scores less on an axis is not listed."""
    provenance: Bilingual | None = None
    """How the data came about: who collected them, from what, by which means."""
    contact: Contact | None = None
    cover: Cover | None = None
    subject_key: Words | None = None
    privacy: Privacy | None = None
    """dp mode, and only there."""
    k: Annotated[int, Meta(ge=2, le=1000)] = 10
    l: Annotated[int, Meta(ge=1, le=20)] = 2
    """The floors of k and l are dated law; the listing decision measures against them."""
    max_left_out_share: Annotated[float, Meta(ge=0, le=0.5)] = 0.05
    consent: dict[Purpose, Words] = field(default_factory=dict)
    """Purpose → column of the file that says whether the person consented to it."""
    null_words: tuple[str, ...] = ("", "?", "NA", "N/A", "NULL", "null")
    reading: Reading = Reading()
    hierarchies: dict[str, str] = field(default_factory=dict)
    """Name → CSV text: first column the value, the next ones its levels, coarser and coarser."""
    events: dict[str, EventColumn] = field(default_factory=dict)
    """Where the file has several rows a person: name of a column → how her rows make it."""
    cross_products: tuple[tuple[Words, Words], ...] = ()
    """Pairs of measures, by their names in SQL, whose sums of products are kept."""

    def columns_of(self, *roles: ManifestRole) -> tuple[ManifestColumn, ...]:
        """The columns with one of these roles, in the manifest's order."""
        return tuple(c for c in self.columns if c.role in roles)

    def shown_columns(self) -> tuple[ManifestColumn, ...]:
        """All that persons are described by, the bands of measures too, in the manifest's order."""
        return tuple(
            one
            for column in self.columns_of("quasi-identifier", "sensitive", "measure")
            for one in ((column, band_of(column)) if column.bands is not None else (column,))
        )


def band_of(measure: ManifestColumn) -> ManifestColumn:
    """The dimension that a measure's bands are: part of the class, so that k persons at least stand in each.

    A count per band within a cohort would be of fewer than k; as a quasi-identifier a band is what all of a cohort
    have in common. Who fits into no such cohort stands at the fallback level, where no band is told.
    """
    meaning = measure.meaning
    return ManifestColumn(
        name=measure.name, role="quasi-identifier", shown_as=f"{measure.sql_name}{BAND}", type=measure.type,
        personal=measure.personal, transform=Transform(bins=measure.bands), fallback=Transform(drop=True),
        meaning=meaning and Bilingual(vi=f"{meaning.vi} (theo khoảng)", en=f"{meaning.en} (in bands)"),
    )  # fmt: skip


def read_manifest(text: str) -> Manifest:
    """The manifest in `text` (YAML 1.2). Raises ManifestRefused with every error."""
    errors: list[ManifestError] = []
    tree = compose(text, errors)
    manifest = read_struct(tree, Manifest, errors) if tree is not None else None
    if tree is not None:
        check_rules(tree, errors)
    if manifest is None or errors:
        unique = {(e.line, e.column, e.code): e for e in errors}
        raise ManifestRefused(tuple(unique[place] for place in sorted(unique)))
    return manifest


def column_lines(text: str) -> dict[str, int]:
    """Name of a column of the file → line that speaks of it, in a manifest that read_manifest accepts."""
    tree = compose(text, [])
    if tree is None:
        return {}
    lines = {str(value.value): value.line for _, value in tree.at("consent").value.values()} if (
        "consent" in tree.value
    ) else {}  # fmt: skip
    lines |= {str(node.at("name").value): node.at("name").line for node in tree.at("columns").value}
    events = [event for _, event in tree.at("events").value.values()] if "events" in tree.value else []
    named = [event.at(key) for event in events for key in ("of", "by") if key in event.value]
    return lines | {str(node.value): node.line for node in named}
