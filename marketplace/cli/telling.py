"""Errors and reasons on a terminal: what happened, why and what to do next, in Vietnamese and English."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from marketplace.errors import Problem
from marketplace.texts import LANGUAGES, message


def tell(code: str, params: Mapping[str, object]) -> None:
    """One code with its values, on standard error."""
    for language in LANGUAGES:
        said = message(code, params, language)
        print(f"{said.what} {said.why} {said.next}".strip(), file=sys.stderr)


def tell_problem(problem: Problem) -> None:
    """What is wrong, and every reason of the decision behind it."""
    tell(problem.code, problem.params)
    for reason in problem.reasons:
        tell(reason.code, reason.params)
