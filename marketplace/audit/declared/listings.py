"""Publication, of one owner's data or of two owners' together."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import Struct, field

from marketplace.audit.declared.decisions import Decided, FactsHead
from marketplace.audit.registry import Body, event


@event("dataset:publish", "a version was released")
class VersionPublished(Decided, frozen=True):
    dataset: str
    number: int
    manifest_sha256: str
    mode: str
    k: int
    persons: int
    parent: str | None
    via: str
    stage: str
    cohorts_taken_out: int | None = None
    """Of those who withdrew while it was made; not said in dp mode."""


@event("dataset:refuse", "a publication was refused, by the policy or because the data is not fit")
class PublicationRefused(Body, frozen=True):
    dataset: str | None
    code: str
    reasons: tuple[dict[str, Any], ...]
    via: str
    stage: str | None = None
    manifest_sha256: str | None = None
    decision_id: UUID | None = None
    decision: dict[str, Any] | None = None
    facts: FactsHead | None = None


@event("dataset:alarm", "the class of a dataset rose, and with it its owner's duties")
class ClassRose(Body, frozen=True):
    reasons: tuple[dict[str, Any], ...]


class Answer(Struct, frozen=True, kw_only=True):
    """`share_basis_points` of the cells (or persons) that the finding is about: 100 is one percent."""

    columns: tuple[str, ...]
    finding: str
    code: str
    share_basis_points: int
    declared: str
    reason: str


@event("dataset:override", "a person let a column go that a scan took for personal data, and said why")
class FindingsAnswered(Body, frozen=True):
    answers: tuple[Answer, ...]


class LinkageNamed(Body, frozen=True):
    linkage: UUID
    state: str


@event("linkage:propose", "an owner asked another to join what both know of a population")
class LinkageProposed(LinkageNamed, frozen=True):
    population: str
    purposes: tuple[str, ...]
    lead_basis_points: int


@event("linkage:approve", "the other owner's yes")
@event("linkage:refuse", "the other owner's no")
@event("linkage:end", "either owner ended it: what was sent is erased, the joint dataset is over")
class LinkageJudged(LinkageNamed, frozen=True):
    reason: str | None


@event("linkage:contribute", "an owner sent its part")
class PartSent(LinkageNamed, frozen=True):
    contribution: UUID
    manifest_sha256: str


@event("linkage:agree", "an owner agreed to join its part with this one of the other")
class PartsAgreed(LinkageNamed, frozen=True):
    contribution: UUID
    other: UUID = field(name="with")


@event("linkage:publish", "the joint dataset was released")
class JointPublished(Decided, frozen=True):
    linkage: UUID
    state: str
    version: str
    joined: dict[str, int]
