"""The question put to the policy and the decision it gives (DESIGN §5). Plain frozen structs, no I/O.

Instants are integer milliseconds since 1970-01-01 UTC, money is integer đồng. A field left at None is a
missing fact, and a missing fact denies: every gate in Rego is positive.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field

Mode = Literal["rows", "aggregate", "dp"]
Severity = Literal["deny", "warn", "info"]


class Caller(Struct, frozen=True, kw_only=True):
    """Who asks."""

    person_id: str
    organisation_id: str
    organisation_kind: Literal["owner", "startup", "regulator", "operator"] | None = None
    roles: tuple[str, ...] = ()
    active: bool | None = None
    organisation_suspended: bool | None = None


class AgreementFacts(Struct, frozen=True, kw_only=True):
    """What both sides accepted."""

    id: str
    startup_id: str | None = None
    dataset_id: str | None = None
    purpose: str | None = None
    people: tuple[str, ...] | None = None
    columns: tuple[str, ...] | None = None
    valid_from_ms: int | None = None
    expires_at_ms: int | None = None
    ended: bool | None = None


class DatasetFacts(Struct, frozen=True, kw_only=True):
    """The newest version of the dataset asked."""

    id: str
    version_id: str | None = None
    listed: bool | None = None
    mode: Mode | None = None
    k: int | None = None
    columns: tuple[str, ...] | None = None
    purposes: tuple[str, ...] | None = None
    legal_basis: str | None = None
    consented_purposes: tuple[str, ...] | None = None
    """Purposes for which the version holds at least one consented cohort (basis `consent` only)."""


class RequestFacts(Struct, frozen=True, kw_only=True):
    """What is asked: the columns that the typed plan reads, and the price that the quote gives."""

    purpose: str
    columns: tuple[str, ...] | None = None
    price_vnd: int | None = None
    max_vnd: int | None = None
    rows_cap: int | None = None
    rows_released: int | None = None


class WalletFacts(Struct, frozen=True, kw_only=True):
    available_vnd: int | None = None


class Question(Struct, frozen=True, kw_only=True):
    """One request for a decision; encoded as JSON it is the policy's `input`."""

    at_ms: int
    caller: Caller
    agreement: AgreementFacts
    dataset: DatasetFacts
    request: RequestFacts
    wallet: WalletFacts
    schema: Literal["access/1"] = "access/1"


class Reason(Struct, frozen=True, kw_only=True):
    """Why: a code of `policies/texts.json`, and the values its text names."""

    code: str
    severity: Severity = "deny"
    params: dict[str, Any] = field(default_factory=dict)


class Obligations(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a permitting decision still demands of the sandbox. An unknown one does not decode, so it denies."""

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
    epsilon: float | None = None


class Decision(Struct, frozen=True, kw_only=True):
    allow: bool
    reasons: tuple[Reason, ...]
    policy_revision: str
    engine: str
    facts_hash: str
    """SHA-256 (hex) of the question's canonical JSON."""
    valid_until: int
    obligations: Obligations | None = None
