"""What a published version is: the struct behind `version.json` (DESIGN §2, invariants 3 and 4)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from policies.decision import Conditions
from sandbox.job import Bounds, Mode

Role = Literal["quasi-identifier", "sensitive", "measure"]
Personal = Literal["none", "basic", "sensitive"]
LEVELS: Final = ("fine", "fallback", "fallback_2", "fallback_3", "fallback_4", "fallback_5")
MAX_FALLBACKS: Final = len(LEVELS) - 1
"""In files of aggregate mode the column LEVEL says at which of them a cohort stands."""


class VersionColumn(Struct, frozen=True, kw_only=True):
    """A column as the startup sees it. In aggregate mode a measure `m` stands in the files as
    `m__count`, `m__sum`, `m__sumsq`, and the cohort's size as `n`."""

    name: str
    type: str
    role: Role
    personal: Personal
    meaning_vi: str
    meaning_en: str
    transform: str
    logical_bytes: int
    """Bytes of this column in the version as first released: what a query that reads it is priced on. In dp mode
    what the manifest's figures make of it, for the true ones would tell of persons."""
    bounds: Bounds | UnsetType = UNSET
    values: tuple[str, ...] | UnsetType = UNSET


class Part(Struct, frozen=True, kw_only=True):
    """One Parquet file; all its cohorts share one set of consented purposes."""

    name: str
    sha256: str
    rows: int
    consented: tuple[str, ...] | None = None
    """Purposes that everybody in it consented to; None where the legal basis is not consent."""


class Measured(Struct, frozen=True, kw_only=True):
    """Anonymity as measured on the finished files: the worst cohort, of the worst sensitive column. `t`: equal
    distance. What follows it is as in `catalog.risk.figures`, absent where nothing has or had it measured."""

    k: int
    l: int | None
    entropy_l: float | None
    t: float | None
    t_ordered: float | UnsetType = UNSET
    alpha: float | UnsetType = UNSET
    recursive_c: float | UnsetType = UNSET
    beta: float | UnsetType = UNSET
    delta: float | UnsetType = UNSET


class Privacy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a lineage in dp mode may ever tell of one person, as its owner declares it: the same in every version.

    Zero-concentrated differential privacy in millionths of ρ, over one person's record that is there or not
    (Bun and Steinke 2016). `delta` is for the ε that is shown, and for group keys nobody declared.
    """

    rho_cap_micro: Annotated[int, Meta(ge=1, le=10**9)]
    """Of all agreements together, and never renewed."""
    rho_agreement_micro: Annotated[int, Meta(ge=1, le=10**9)]
    """What each agreement gets."""
    delta: Annotated[float, Meta(ge=1e-15, le=0.001)]
    persons_at_most: Annotated[int, Meta(ge=1, le=10**9)]
    """Stands for the number of persons wherever one is shown, priced or classed by: the true one is nobody's."""


class LeftOut(Struct, frozen=True, kw_only=True):
    persons: int
    classes: int
    share: float


class Version(Struct, frozen=True, kw_only=True):
    """`id` = SHA-256 of version.json's canonical JSON without `id`."""

    id: str = ""
    dataset: str
    mode: Mode
    privacy_unit: Literal["row", "column"]
    population: str
    rows: int
    """Records in the files: persons (rows mode) or cohorts (aggregate mode); in dp mode `persons_at_most`, as
    `persons` and `cohorts` (each person is a cohort of her own, so a withdrawal takes her record alone)."""
    persons: int
    cohorts: int
    k: int
    measured: Measured
    fine_share: float
    """Share of persons that stand at the fine level of generalisation; the rest stand at fallback levels."""
    left_out: LeftOut
    columns: tuple[VersionColumn, ...]
    parts: tuple[Part, ...]
    purposes: tuple[str, ...]
    legal_basis: str
    manifest_sha256: str
    created_at_ms: int
    parent: str | None = None
    conditions: Conditions | UnsetType = UNSET
    """What the owner demands beside the purpose; absent from version.json where it demands nothing."""
    cross_products: tuple[tuple[str, str], ...] | UnsetType = UNSET
    """Pairs (a, b) of measures with a column `a__b__sumxy`; absent where there is none."""
    tells_level: bool | UnsetType = UNSET
    """Whether the files say of each cohort at which level it stands; absent where they do not."""
    privacy: Privacy | UnsetType = UNSET
    """In dp mode, and only there."""

    @property
    def consented_purposes(self) -> tuple[str, ...]:
        """Purposes for which at least one part is consented, in the manifest's order."""
        have = {p for part in self.parts for p in (part.consented or ())}
        return tuple(p for p in self.purposes if p in have)


class Revision(Struct, frozen=True, kw_only=True):
    """The files of one version for one purpose, without the cohorts that were taken out.

    `number` counts the withdrawals that touched the version; `hash` is over the parts' hashes."""

    version_id: str
    number: int
    hash: str
    parts: tuple[str, ...]
    """Absolute paths, read-only."""
