"""Publications that people review, and versions taken back."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marketplace.audit.registry import Body, event


class PublicationNamed(Body, frozen=True):
    publication: UUID


@event("publication:send", "an owner sent a file for publication with review")
class PublicationSent(PublicationNamed, frozen=True):
    dataset: str
    source_sha256: str
    via: str
    suite_sha256: str | None = None


@event("publication:override", "a person answered for findings that had stopped it")
@event("publication:retry", "a person had it tried again")
@event("publication:submit", "the steward ticked her checklist")
@event("publication:approve", "the approver, or the operator's reviewer, ticked the checklist and approved")
@event("publication:return", "the approver, or the operator's reviewer, gave it back")
@event("publication:cancel", "it was given up; its files are erased")
class PublicationStepped(PublicationNamed, frozen=True):
    state: str
    reason: str | None
    checklist: tuple[str, ...]
    subject: str | None
    """What was approved: a hash over file, manifest, suite, overrides and classes."""
    findings: tuple[dict[str, Any], ...] = ()


@event("version:withdraw", "an owner took the listed version back; its agreements' parties are told")
class VersionWithdrawn(Body, frozen=True):
    reason: str
    note: str
    agreements: int
    """In force at that moment."""


@event("publication:overdue", "a task of its review was due and nobody has done it; told once a task")
class PublicationOverdue(PublicationNamed, frozen=True):
    state: str
    due_at: int
