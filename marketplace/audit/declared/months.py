"""The close of a month, step by step."""

from __future__ import annotations

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


@event("statement:issue", "an owner's month was closed; `sha256`: of its statement's canonical JSON")
class StatementIssued(Body, frozen=True):
    period: str
    sha256: str
    earned_vnd: int
    closing_vnd: int
