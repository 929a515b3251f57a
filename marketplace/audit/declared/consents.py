"""The register of consents, and what it makes of a dataset."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.registry import Body, event


@event("consent:give", "consent was recorded, by an owner or by a person herself", version=2)
@event("consent:withdraw", "its withdrawal was recorded", version=2)
@event("consent:revoke", "an owner revoked it", version=2)
class ConsentRecorded(Body, frozen=True):
    """`row_commitment`: to the whole row of the register, which tells who recorded it."""

    consent_event_id: UUID
    said_at: int
    row_commitment: str


@event("consent:expire", "consents ran out; so many for each purpose", version=2)
class ConsentsExpired(Body, frozen=True):
    """`recorded_us`: of the rows, microseconds; `rows_commitment`: to all of them."""

    expired: dict[str, int]
    recorded_us: int
    rows_commitment: str


@event("consent:import", "an owner sent a file of consent events", version=2)
class ConsentsImported(Body, frozen=True):
    """`recorded_us`: of the rows, microseconds; `rows_commitment`: to all of them."""

    given: int
    withdrawn: int
    revoked: int
    already: int
    wrong: int
    via: str
    file_sha256_commitment: str
    recorded_us: int
    rows_commitment: str


@event("consent:read", "the regulator looked at the deadlines of withdrawals")
class ConsentsRead(Body, frozen=True):
    read: str


@event("dataset:revision", "cohorts were taken out of a version for a purpose")
class Revised(Body, frozen=True):
    pass


@event("dataset:worn", "a version lost so many cohorts that it should be published anew")
class Worn(Body, frozen=True):
    from_permille: int
