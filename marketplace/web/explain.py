"""Errors and reasons in the reader's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from marketplace.errors import Problem
from marketplace.texts import Message, told
from marketplace.web.view import View
from policies.decision import Reason
from policies.nearest import Change


def explain_problem(view: View, problem: Problem) -> Message:
    """What happened, why, what next."""
    return view.message(problem.code, problem.params)


def what_is_wrong(view: View, problem: Problem | None) -> dict[str, Any]:
    """Context of a page that a mistake led back to: `problem`, `errors`, `reasons`, `status`."""
    if problem is None:
        return {"problem": None, "errors": (), "reasons": (), "status": 200}
    return {
        "problem": explain_problem(view, problem),
        "errors": explain_errors(view, problem),
        "reasons": explain_reasons(view, problem.reasons),
        "status": problem.status,
    }


def explain_reasons(view: View, reasons: Iterable[Reason]) -> tuple[Message, ...]:
    """Every reason of a decision."""
    return tuple(told(reason.code, reason.params, view.language) for reason in reasons)


def explain_nearest(view: View, problem: Problem) -> tuple[Message, ...]:
    """The fewest changes after which a denied query is allowed."""
    changes: tuple[Change, ...] = getattr(problem, "nearest", ())
    return tuple(view.message(f"nearest.{change.code}", change.params) for change in changes)


class WrongField(Struct, frozen=True, kw_only=True):
    """A mistake in a form. `field`: the name that the form sends it under."""

    field: str | None
    said: Message


def explain_errors(view: View, problem: Problem) -> tuple[WrongField, ...]:
    """Every wrong field of a form, each with its own words."""
    return tuple(
        WrongField(field=error.get("path"), said=_explain_error(view, error))
        for error in problem.params.get("errors") or ()
    )


class Placed(Struct, frozen=True, kw_only=True):
    """A mistake, with its place in the file where it has one (both from 1)."""

    line: int | None
    column: int | None
    said: Message


def placed(view: View, error: Mapping[str, Any]) -> Placed:
    """One error of a file that was sent."""
    return Placed(line=error.get("line"), column=error.get("column"), said=_explain_error(view, error))


def _explain_error(view: View, error: Mapping[str, Any]) -> Message:
    params = dict(error.get("params", {}))
    if isinstance(params.get("path"), str):
        params["path"] = view.known_words(f"typed.{params['path']}") or params["path"]
    return view.message(error["code"], params)
