"""The close of a month, step by step."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.registry import Body, event


class OfStep(Body, frozen=True):
    """`step`: charges, usage, books, trial_balance, invoices, statements."""

    period: str
    step: str


@event("month:step", "a step of a month's close was done; `told`: its figures")
class StepDone(OfStep, frozen=True):
    told: dict[str, int]


@event("month:stuck", "a step found what has to be mended first; nothing of the month is billed meanwhile")
class StepStuck(OfStep, frozen=True):
    """`cause`: the problem's code; `named`: the first differences."""

    cause: str
    named: str


@event("month:retry", "a person of the operator had a stuck month tried again")
class StepTriedAgain(OfStep, frozen=True):
    pass


class OfDifference(OfStep, frozen=True):
    """`difference`: its key, which names its month, step and figures."""

    acceptance: UUID
    difference: str


class DifferenceSaid(OfDifference, frozen=True):
    """`expected`, `found`: in the currency's smallest unit; None: one side has no such row."""

    rule: str
    subject: str
    expected: int | None
    found: int | None
    reason: str


@event("difference:propose", "a person of the operator proposed to let a difference stand in one month")
class DifferenceProposed(DifferenceSaid, frozen=True):
    pass


@event("difference:accept", "another person let it stand: for this month, and with these figures alone")
class DifferenceAccepted(DifferenceSaid, frozen=True):
    pass


@event(
    "difference:refuse", "a person of the operator refused to let a difference stand, or took the proposal back"
)
class DifferenceRefused(DifferenceSaid, frozen=True):
    pass


@event("difference:lapse", "a difference was not found any more as it was proposed or let stand (`was`)")
class DifferenceLapsed(OfDifference, frozen=True):
    was: str


@event("statement:issue", "an owner's month was closed; `sha256`: of its statement's canonical JSON")
class StatementIssued(Body, frozen=True):
    period: str
    sha256: str
    earned_vnd: int
    closing_vnd: int
