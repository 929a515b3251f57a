"""Publications and withdrawals on the wire and on pages."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from catalog.pipeline.record import StageRecord
from marketplace.publications.machine import State

StepVerb = Literal["override", "retry", "submit", "approve", "return", "cancel"]
WithdrawalReason = Literal["quality", "privacy", "unlawful", "consent", "outdated", "other"]
Told = Annotated[str, Meta(max_length=2_000)]


class AnsweredFinding(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finding that a person answers for: by its code, and what it is about."""

    code: Annotated[str, Meta(max_length=100)]
    key: Annotated[str, Meta(max_length=200)] = ""


class SchemeView(Struct, frozen=True, kw_only=True):
    """One way to generalise: what it loses (NCP, 0 to 1) and risks (the share whom a guess would name), its worst
    class, and the manifest that asks for it."""

    loss: float
    risk: float
    k: int
    l: int | None
    fine_share: float
    left_out_share: float
    manifest: str


class SchemeList(Struct, frozen=True, kw_only=True):
    """The least loss first. `proven`: whether nothing better is among the `lattice` schemes of one level."""

    items: tuple[SchemeView, ...]
    persons: int
    evaluated: int
    lattice: int
    proven: bool


class StepBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`checklist`: what was ticked, for submit and approve all of it; `reason`: for override and return;
    `findings`: for override."""

    verb: StepVerb
    checklist: Annotated[tuple[str, ...], Meta(max_length=20)] = ()
    reason: Told = ""
    findings: Annotated[tuple[AnsweredFinding, ...], Meta(max_length=200)] = ()


class StepTaken(Struct, frozen=True, kw_only=True):
    """Where the step led: who took it may see it no more."""

    id: UUID
    state: State


class StageView(Struct, frozen=True, kw_only=True):
    record: StageRecord
    attempts: int = 0
    began_at: datetime | None = None
    ended_at: datetime | None = None


class StepView(Struct, frozen=True, kw_only=True):
    verb: str
    state: str
    person: str
    checklist: tuple[str, ...]
    reason: str | None
    at: datetime


class TaskView(Struct, frozen=True, kw_only=True):
    """The "6 rõ" of what a person has to do next. `who`, `responsibility`, `product`: keys of words; `authority`:
    id of the law; `checklist`: what she has to tick."""

    who: str
    what: str
    when: datetime
    overdue: bool
    responsibility: str
    product: str
    authority: str
    checklist: tuple[str, ...]


class PublicationLine(Struct, frozen=True, kw_only=True):
    id: UUID
    slug: str
    state: State
    owner: str
    sent_by: str
    sent_at: datetime
    changed_at: datetime
    due_at: datetime | None
    overdue: bool
    stages_passed: int
    stages: int


class PublicationView(PublicationLine, frozen=True, kw_only=True):
    """`stages` of the pages: all ten, review and list among them. `may`: verbs that the reader may use now."""

    manifest: str
    source_name: str
    source_bytes: int
    source_sha256: str
    version_id: str | None
    state_class: str | None
    personal_class: str | None
    problem: dict[str, Any] | None
    overrides: tuple[dict[str, Any], ...]
    each_stage: tuple[StageView, ...]
    steps: tuple[StepView, ...]
    task: TaskView | None
    may: tuple[str, ...]


class PublicationList(Struct, frozen=True, kw_only=True):
    items: tuple[PublicationLine, ...]


class WithdrawalBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`note` is told to everybody who has an agreement."""

    version_id: Annotated[str, Meta(min_length=64, max_length=64)]
    reason: WithdrawalReason
    note: Annotated[str, Meta(min_length=10, max_length=2_000)]


class WithdrawalView(Struct, frozen=True, kw_only=True):
    """`agreements`: in force, whose parties were told. `credited`: whether refunds of it were proposed."""

    version_id: str
    dataset: str
    number: int
    reason: str
    note: str
    withdrawn_at: datetime
    agreements: int
    credited: bool


class WithdrawalList(Struct, frozen=True, kw_only=True):
    items: tuple[WithdrawalView, ...]


class ListedVersion(Struct, frozen=True, kw_only=True):
    """A version that its owner may take back."""

    slug: str
    version_id: str
    number: int


class TakenBack(Struct, frozen=True, kw_only=True):
    """A version that was taken back, to those who have an agreement on its dataset."""

    number: int
    reason: str
    note: str
    bars_answers: bool
    at: datetime
