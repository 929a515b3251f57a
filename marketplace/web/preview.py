"""The preview as its page shows it: one table for each kind of startup, the reasons in the reader's words."""

from __future__ import annotations

from itertools import groupby

from msgspec import Struct

from marketplace.agreements.preview import AnswerView, CellView, DecisionView, PreviewView, StandingView
from marketplace.texts import Message
from marketplace.web.view import View


class AnswerShown(Struct, frozen=True, kw_only=True):
    """`warnings` do not deny; with a denial they are left out."""

    answer: AnswerView
    reasons: tuple[Message, ...]
    warnings: tuple[Message, ...]


class RowShown(Struct, frozen=True, kw_only=True):
    purpose: str
    shown: AnswerShown


class KindShown(Struct, frozen=True, kw_only=True):
    """`allowed`: how many of the purposes."""

    kind: str
    allowed: int
    rows: tuple[RowShown, ...]


class StandingShown(Struct, frozen=True, kw_only=True):
    standing: StandingView
    shown: AnswerShown


def kinds_of(view: View, preview: PreviewView) -> tuple[KindShown, ...]:
    """In the order in which the cells were decided."""
    return tuple(_kind(view, kind, tuple(cells)) for kind, cells in groupby(preview.cells, lambda cell: cell.kind))


def standing_of(view: View, preview: PreviewView) -> tuple[StandingShown, ...]:
    """Who may ask now."""
    return tuple(StandingShown(standing=each, shown=answer_of(view, each.answer)) for each in preview.standing)


def answer_of(view: View, answer: AnswerView) -> AnswerShown:
    """One answer with its reasons."""
    return AnswerShown(
        answer=answer, reasons=told_of(view, answer, "deny"), warnings=told_of(view, answer, "warn")
    )


def told_of(view: View, decided: DecisionView, severity: str) -> tuple[Message, ...]:
    """The reasons of one severity, in the reader's language."""
    told = zip(decided.decision.reasons, decided.messages, strict=True)
    return tuple(messages[view.language] for reason, messages in told if reason.severity == severity)


def _kind(view: View, kind: str, cells: tuple[CellView, ...]) -> KindShown:
    rows = tuple(RowShown(purpose=cell.purpose, shown=answer_of(view, cell.answer)) for cell in cells)
    return KindShown(kind=kind, allowed=sum(cell.answer.decision.allow for cell in cells), rows=rows)
