"""Verdicts of a suite in the reader's words: what was expected, of how many values, and why one was not judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from catalog.quality.report import Verdict
from catalog.quality.suite import Arguments, Axis, Expectation
from catalog.quality.wire import Judge
from marketplace.texts import Language
from marketplace.web.figures import percent
from marketplace.web.words import say, words

MOST_VALUES: Final = 12
"""Of a set that are written out."""


class VerdictShown(Struct, frozen=True, kw_only=True):
    """`expected`: the expectation as a sentence; `why`: a word of its owner; `error`: why it was not judged."""

    axis: Axis
    type: str
    expected: str
    critical: bool
    why: str
    outcome: str
    error: str
    judge: Judge
    unexpected: int
    tested: int


class Judged(Struct, frozen=True, kw_only=True):
    """One version's verdicts, and how many of them went which way."""

    number: int
    verdicts: tuple[VerdictShown, ...]
    met: int
    failed: int
    errors: int


def judged(number: int, verdicts: Sequence[Verdict], language: Language) -> Judged:
    """In the suite's order."""
    went = Counter(verdict.outcome for verdict in verdicts)
    return Judged(
        number=number, verdicts=tuple(_shown(verdict, language) for verdict in verdicts),
        met=went["met"], failed=went["failed"], errors=went["error"],
    )  # fmt: skip


def _shown(verdict: Verdict, language: Language) -> VerdictShown:
    purpose = verdict.expectation.purpose
    return VerdictShown(
        axis=purpose.axis, type=verdict.expectation.type, expected=in_words(verdict.expectation, language),
        critical=purpose.critical, why=_why(purpose.why, language), outcome=verdict.outcome,
        error=say(f"quality.error.{verdict.error}", language) if verdict.error else "", judge=verdict.judge,
        unexpected=verdict.unexpected, tested=verdict.tested,
    )  # fmt: skip


def _why(said: str, language: Language) -> str:
    """A word of ours that `catalog suite` wrote, else what the owner wrote, as it is."""
    return say(f"quality.why.{said}", language) if f"quality.why.{said}" in words() else said


def in_words(expectation: Expectation, language: Language) -> str:
    """What the values are expected to be."""
    given = expectation.arguments
    told = say(
        f"quality.says.{expectation.type}", language, column=given.column or "", values=_values(given, language),
        a=given.column_a or "", b=given.column_b or "", columns=", ".join(given.column_list or ()),
        limits=_limits(given, language), regex=given.regex or "", sign="≥" if given.or_equal else ">",
    )  # fmt: skip
    if given.mostly == 1:
        return told
    return say("quality.says.mostly", language, told=told, share=percent(given.mostly, language))


def _limits(given: Arguments, language: Language) -> str:
    low, high = given.min_value, given.max_value
    if low is not None and high is not None:
        return say("quality.says.between", language, low=low, high=high)
    return f"≥ {low}" if low is not None else f"≤ {high}"


def _values(given: Arguments, language: Language) -> str:
    values = given.value_set or ()
    written = ", ".join(str(value) for value in values[:MOST_VALUES])
    more = len(values) - MOST_VALUES
    return written if more <= 0 else say("quality.says.more", language, values=written, more=more)
