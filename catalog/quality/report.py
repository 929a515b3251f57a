"""Verdicts and scores of a suite: what was counted, and the rule by which it becomes a number an axis."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, Literal

from msgspec import Struct

from catalog.quality.suite import AXES, Axis, Expectation
from catalog.quality.wire import Counted, Judge

Outcome = Literal["met", "failed", "error"]
STATES: Final = ("met", "failed", "unknown", "none")


class Verdict(Struct, frozen=True, kw_only=True):
    """`error`: it could not be judged, which is not a failure of the data. Counts are for the owner alone."""

    expectation: Expectation
    outcome: Outcome
    tested: int
    unexpected: int
    judge: Judge
    error: str = ""

    @property
    def share(self) -> Fraction:
        """Of the values tested, those that are as expected; of nothing tested, all."""
        return 1 - Fraction(self.unexpected, self.tested) if self.tested else Fraction(1)


class AxisScore(Struct, frozen=True, kw_only=True):
    """`permille`: mean share of values that are as expected over the expectations that could be judged, rounded
    down; None where none could. `state`: failed if one failed; else unknown if one could not be judged."""

    axis: Axis
    permille: int | None
    state: Literal["met", "failed", "unknown", "none"]
    expectations: int
    failed: int
    errors: int


class QualityReport(Struct, frozen=True, kw_only=True):
    """What a suite found of one table. `judge`: who judged what Great Expectations judges right."""

    suite: str
    rows: int
    judge: Judge
    verdicts: tuple[Verdict, ...]
    scores: tuple[AxisScore, ...]
    """One an axis, in the order of AXES."""

    @property
    def critical(self) -> tuple[Verdict, ...]:
        """What must be met and was not, or could not be judged."""
        return tuple(v for v in self.verdicts if v.expectation.purpose.critical and v.outcome != "met")


def report(suite: str, rows: int, judge: Judge, expected: Sequence[Expectation], counted: Sequence[Counted]) -> (
    QualityReport
):  # fmt: skip
    """Verdicts of what was counted, and the scores."""
    verdicts = tuple(_verdict(e, c) for e, c in zip(expected, counted, strict=True))
    return QualityReport(
        suite=suite, rows=rows, judge=judge, verdicts=verdicts, scores=tuple(score(a, verdicts) for a in AXES)
    )


def _verdict(expectation: Expectation, counted: Counted) -> Verdict:
    outcome: Outcome = "error" if counted.met is None else "met" if counted.met else "failed"
    return Verdict(
        expectation=expectation, outcome=outcome, tested=counted.tested, unexpected=counted.unexpected,
        judge=counted.judge, error=counted.error,
    )  # fmt: skip


def score(axis: Axis, verdicts: Sequence[Verdict]) -> AxisScore:
    """The axis's number; an error neither raises nor lowers it, and is told beside it."""
    own = [v for v in verdicts if v.expectation.purpose.axis == axis]
    judged = [v for v in own if v.outcome != "error"]
    failed = sum(v.outcome == "failed" for v in judged)
    errors = len(own) - len(judged)
    permille = int(1000 * sum((v.share for v in judged), Fraction()) / len(judged)) if judged else None
    state: Literal["met", "failed", "unknown", "none"] = (
        "none" if not own else "failed" if failed else "unknown" if errors else "met"
    )
    return AxisScore(
        axis=axis, permille=permille, state=state, expectations=len(own), failed=failed, errors=errors
    )
