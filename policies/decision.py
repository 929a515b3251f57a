"""The questions put to the policy and the decision it gives (DESIGN §5). Plain frozen structs, no I/O.

Instants are integer milliseconds since 1970-01-01 UTC, money is integer đồng. A field left at None is a
missing fact, and a missing fact denies: every gate in Rego is positive. The JSON key `schema` names the form.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

Mode = Literal["rows", "aggregate", "dp"]
Severity = Literal["deny", "warn", "info"]
StateClass = Literal["public", "internal", "important", "core"]
PersonalClass = Literal["none", "basic", "sensitive"]
Kind = Literal["owner", "startup", "regulator", "operator"]


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks. `organisation_slug`: by which an owner's condition names an institution."""

    person_id: str
    organisation_id: str
    organisation_kind: Kind | None = None
    organisation_slug: str | None = None
    roles: tuple[str, ...] = ()
    active: bool | None = None
    organisation_suspended: bool | None = None


class RecordsCondition(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename={"values": "in"}
):
    """Only records whose text in a quasi-identifier is one of `in`, which chooses whole cohorts.

    `purposes`: for these and what is within them; absent: for every purpose.
    """

    column: str
    values: tuple[str, ...]
    purposes: tuple[str, ...] | None = None


class Conditions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What an owner demands beside the purpose: GA4GH DUO modifiers. Absent: not demanded."""

    time_limit_days: int | None = None
    """DUO:0000025, from the first day of the agreement."""
    approved_users_max: int | None = None
    """DUO:0000026: at most so many people, each named and accepted."""
    institutions: tuple[str, ...] | None = None
    """DUO:0000028: only organisations with these slugs."""
    places: tuple[str, ...] | None = None
    """DUO:0000022: only work done there; ISO 3166 codes, VN covers VN-HN."""
    ethics_approval: bool = False
    """DUO:0000021: a reference of the approval is given."""
    return_results: bool = False
    """DUO:0000029: derived results come back to the owner."""
    records: tuple[RecordsCondition, ...] | None = None
    """What of the records may be read; all of them hold."""


class AgreedRecords(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"values": "in"}):
    """As the owner's `RecordsCondition`, but agreed on for one agreement: it holds whatever is asked under it.

    Its size is bounded: each query's facts, SQL, event and receipt hold it."""

    column: Annotated[str, Meta(max_length=100)]
    values: Annotated[tuple[Annotated[str, Meta(max_length=100)], ...], Meta(max_length=100)]


class Promises(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the startup said to meet the conditions."""

    place: Annotated[str, Meta(max_length=10)] | None = None
    """ISO 3166 code of where the work is done."""
    ethics_reference: Annotated[str, Meta(max_length=200)] | None = None
    returns_results: bool = False
    records: Annotated[tuple[AgreedRecords, ...], Meta(max_length=8)] | UnsetType = UNSET
    """Only these are read; all of them hold, and what the owner demands of records too."""


class AgreementFacts(Struct, frozen=True, kw_only=True):
    """What both sides accepted."""

    id: str
    startup_id: str | None = None
    dataset_id: str | None = None
    purpose: str | None = None
    purpose_judged: bool | None = None
    """Whether the owner said yes to a purpose that only akin ones of the version cover."""
    people: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    valid_from_ms: int | None = None
    expires_at_ms: int | None = None
    ended: bool | None = None
    promises: Promises | None = None
    limits: dict[str, Any] | None = None
    """Obligations that the owner granted, as stored; one that the policy does not know denies."""


class DatasetFacts(Struct, frozen=True, kw_only=True):
    """The newest version of the dataset asked."""

    id: str
    version_id: str | None = None
    listed: bool | None = None
    mode: Mode | None = None
    k: int | None = None
    persons: int | None = None
    columns: tuple[str, ...] | None = None
    basic_columns: tuple[str, ...] | None = None
    sensitive_columns: tuple[str, ...] | None = None
    """Columns of the personal class basic, and sensitive; the others tell nothing personal."""
    purposes: tuple[str, ...] | None = None
    conditions: Conditions | None = None
    legal_basis: str | None = None
    consented_purposes: tuple[str, ...] | None = None
    """Purposes for which the version holds at least one consented cohort (basis `consent` only)."""
    state_class: StateClass | None = None
    """As computed when the version was listed; None: listed before classes were computed."""


class Beside(Struct, frozen=True, kw_only=True):
    """Another dataset of the same query, decided before: the stricter holds on every axis but the columns."""

    obligations: dict[str, Any]
    persons: int
    disclosed: bool
    basic: bool
    sensitive: bool


class RequestFacts(Struct, frozen=True, kw_only=True):
    """What is asked: the columns that the typed plan reads, and the price that the quote gives."""

    purpose: str
    columns: tuple[str, ...] | None = None
    price_vnd: int | None = None
    max_vnd: int | None = None
    rows_cap: int | None = None
    rows_released: int | None = None
    beside: tuple[Beside, ...] = ()


class BudgetFacts(Struct, frozen=True, kw_only=True):
    """Of a query in dp mode: what it spends of the agreement's privacy budget, in millionths of ρ (zCDP).

    `epsilon`: the same, as the ε that it is with the lineage's δ. A stored answer costs nothing."""

    cost_micro: int | None = None
    left_micro: int | None = None
    epsilon: float | None = None


class WalletFacts(Struct, frozen=True, kw_only=True):
    available_vnd: int | None = None


class AccessQuestion(Struct, frozen=True, kw_only=True, tag_field="schema", tag="access/1"):
    """May this query run?"""

    entrypoint: ClassVar[str] = "access/decision"
    at_ms: int
    caller: Caller
    agreement: AgreementFacts
    dataset: DatasetFacts
    request: RequestFacts
    wallet: WalletFacts
    budget: BudgetFacts | UnsetType = UNSET
    """In dp mode, and only there."""


class ApplicationFacts(Struct, frozen=True, kw_only=True):
    """What the startup asks of the owner, or what the owner is about to grant."""

    id: str
    purpose: str | None = None
    purpose_judged: bool | None = None
    people: tuple[str, ...] | None = None
    active_people: tuple[str, ...] | None = None
    """Those of `people` who are active people of the applicant's organisation."""
    duration_days: int | None = None
    expires_at_ms: int | None = None
    """Until when: at the accept stage the owner's choice, else the whole duration."""
    promises: Promises | None = None
    limits: dict[str, Any] | None = None
    """Obligations that the owner grants; one that the policy does not know denies."""


class OwnerFacts(Struct, frozen=True, kw_only=True):
    organisation_id: str
    suspended: bool | None = None


class AgreementQuestion(Struct, frozen=True, kw_only=True, tag_field="schema", tag="agreement/1"):
    """May this application be made (stage apply) or granted (accept), and with which limits?"""

    entrypoint: ClassVar[str] = "agreement/decision"
    at_ms: int
    stage: Literal["apply", "accept"]
    applicant: Caller
    owner: OwnerFacts
    application: ApplicationFacts
    dataset: DatasetFacts


class ColumnFacts(Struct, frozen=True, kw_only=True):
    """A column that the version would show."""

    name: str
    role: Literal["identifier", "quasi-identifier", "sensitive", "measure"]
    personal: PersonalClass


class PrivacyFacts(Struct, frozen=True, kw_only=True):
    """What a lineage in dp mode may ever tell of one person: `catalog.version.Privacy`."""

    rho_cap_micro: int
    rho_agreement_micro: int
    delta: float
    persons_at_most: int


Permille = Annotated[int, Meta(ge=0, le=1000)]


class AxisPermilles(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """đúng, đủ, sạch, sống, each of 1000: a version's scores, or the floors below which it is not listed.

    Absent: not measured, or no floor."""

    accurate_permille: Permille | None = None
    complete_permille: Permille | None = None
    clean_permille: Permille | None = None
    live_permille: Permille | None = None


class ManifestFacts(Struct, frozen=True, kw_only=True):
    """What the owner says of the dataset. `k` and `l`: the floors it asks of its own version."""

    dataset: str
    mode: Mode | None = None
    themes: tuple[str, ...] | None = None
    purposes: tuple[str, ...] | None = None
    legal_basis: str | None = None
    law: str | None = None
    """Id of the legal basis in `policies/data/law.json`."""
    k: int | None = None
    l: int | None = None
    columns: tuple[ColumnFacts, ...] | None = None
    conditions: Conditions | None = None
    privacy: PrivacyFacts | UnsetType = UNSET
    """In dp mode, and only there."""
    quality: AxisPermilles | UnsetType = UNSET
    """The floors that the owner declares; where it declares none, the exchange's alone apply."""


class VersionFacts(Struct, frozen=True, kw_only=True):
    """What was made of it and measured on the finished files."""

    id: str
    persons: int | None = None
    measured_k: int | None = None
    measured_l: int | None = None
    """Worst class; None where the version shows no sensitive column."""
    consented_purposes: tuple[str, ...] | None = None
    manifest_sha256: str | None = None
    quality: AxisPermilles | UnsetType = UNSET
    """By the suite that came with the file, where one came."""


class PreviousFacts(Struct, frozen=True, kw_only=True):
    """Of the version that is listed now. `version_id` None: none is."""

    version_id: str | None = None
    state_class: StateClass | None = None
    personal_class: PersonalClass | None = None


class ListingQuestion(Struct, frozen=True, kw_only=True, tag_field="schema", tag="listing/1"):
    """May a version of this be made (stage manifest), and may what was made go on sale (stage version)?"""

    entrypoint: ClassVar[str] = "listing/decision"
    at_ms: int
    stage: Literal["manifest", "version"]
    caller: Caller
    manifest: ManifestFacts
    version: VersionFacts | None = None
    previous: PreviousFacts | None = None


Question = AccessQuestion | AgreementQuestion | ListingQuestion


class Reason(Struct, frozen=True, kw_only=True):
    """Why: a code of `policies/texts.json`, and the values its text names."""

    code: str
    severity: Severity = "deny"
    params: dict[str, Any] = field(default_factory=dict)
    law: str | None = None
    """Id in `policies/data/law.json`."""
    remedy: str | None = None
    """What cures it: `remedy.<this>` has its words in `policies/texts.json`."""


class Obligations(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a permitting decision still demands, or grants at most. An unknown one does not decode: it denies."""

    mode: Mode
    columns: tuple[str, ...]
    k_min: int
    max_rows: int
    max_bytes: int
    expires_at: int
    recheck_after: int
    consented_to: str | None = None
    """Only cohorts whose consent covers this purpose (None: the basis is not consent)."""
    row_filter: tuple[dict[str, Any], ...] = ()
    """All of them hold for every record that is read."""
    epsilon: float | None = None
    """dp mode: what the query tells of one person at most, with the lineage's δ."""
    state_class: StateClass | None = None
    personal_class: PersonalClass | None = None
    """Classes of what is asked, by the thresholds in force: to be handled as such (Decree 165/2025)."""


class Decision(Struct, frozen=True, kw_only=True):
    """One shape for all three documents: access, agreement, listing."""

    allow: bool
    reasons: tuple[Reason, ...]
    policy_revision: str
    engine: str
    facts_hash: str
    """SHA-256 (hex) of the question's canonical JSON."""
    valid_until: int
    obligations: Obligations | None = None
