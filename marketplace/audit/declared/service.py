"""Money put in by hand, the policy that decides, and the log itself."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marketplace.audit.registry import Body, event


@event("wallet:credit", "the operator credited a startup's wallet")
class WalletCredited(Body, frozen=True):
    transfer: UUID
    reference: str


@event("policy:reload", "the service decides by a newly loaded policy")
class PolicyLoaded(Body, frozen=True):
    before: str
    after: str
    module_sha256: str | None


@event("policy:refuse", "a policy that was to be loaded cannot be used")
class PolicyRefused(Body, frozen=True):
    before: str
    after: str
    code: str
    params: dict[str, Any]


@event("log:read", "regulator or operator read the log across tenants", version=2)
class LogRead(Body, frozen=True):
    """`q_commitment`: to the words of the filter, if it has any."""

    filter: dict[str, Any]
    events: int
    view: str
    q_commitment: str | None = None


@event("log:witness_refuse", "a witness does not cosign the newest checkpoint: it has seen another log")
class WitnessRefused(Body, frozen=True):
    witness: str
    status: int
    size: int


@event("log:refuse", "`count` events, or places in the queue of leaves, were put in without the service: no leaf")
class EventsRefused(Body, frozen=True):
    """`events`: the first of them."""

    count: int
    events: list[UUID]


@event("log:admit", "who holds the keys of the home let an event into the log that it had refused")
class EventAdmitted(Body, frozen=True):
    event: UUID
    reason: str


@event(
    "log:audit",
    "rows, tiles and books were looked at; `named`: what differs, the first of `differences`",
    version=2,
)
class LogAudited(Body, frozen=True):
    """`seal`: over the other fields, under a key of the home; a verdict without it was put into the database."""

    size: int
    differences: int
    named: list[str]
    looked_at_ms: int
    seal: str
