"""Applications and agreements."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.declared.decisions import Decided
from marketplace.audit.registry import Body, event


@event("application:deny", "the policy did not permit an application, or its acceptance", counted=True)
class ApplicationDecided(Decided, frozen=True):
    application: UUID
    startup: UUID
    owner: UUID
    stage: str


@event("application:apply", "a startup asked to use a dataset", counted=True)
@event("application:resubmit", "it answered a return with new terms", counted=True)
class ApplicationMade(ApplicationDecided, frozen=True):
    state: str
    version: str | None
    offer: UUID | None = None


@event("application:accept", "the owner's yes made the agreement", counted=True)
class ApplicationAccepted(ApplicationDecided, frozen=True):
    state: str
    reason: str
    expires_at: str
    offer: UUID | None = None


@event("application:agree", "one owner of a joint dataset said yes, the other has yet to", counted=True)
class ApplicationAgreed(ApplicationDecided, frozen=True):
    state: str
    reason: str
    waits_for_other_owner: bool


@event("application:withdraw", "the startup took its application back", counted=True)
class ApplicationWithdrawn(Body, frozen=True):
    application: UUID
    state: str


@event("application:reject", "the owner's no", counted=True)
@event("application:return", "the owner wishes other terms", counted=True)
class ApplicationRefused(Body, frozen=True):
    application: UUID
    state: str
    reason: str


@event("agreement:end", "an agreement was ended before its time; `by`: the kind of organisation", counted=True)
class AgreementEnded(Body, frozen=True):
    reason: str
    by: str
