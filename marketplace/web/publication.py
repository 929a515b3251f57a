"""A publication ready for its template: what stopped it and what was found, in the reader's words."""

from __future__ import annotations

from msgspec import Struct

from catalog.pipeline.record import Finding, Severity
from marketplace.publications.reviewing import OVERRIDABLE
from marketplace.publications.schemas import PublicationView
from marketplace.texts import Message, told
from marketplace.web.view import View


class FindingTold(Struct, frozen=True, kw_only=True):
    """`answered`: the reason of a person who answers for it; `may`: whether one may."""

    code: str
    key: str
    severity: Severity
    said: Message
    answered: str | None
    may: bool


def findings_of(view: View, publication: PublicationView) -> dict[str, tuple[FindingTold, ...]]:
    """Stage → what it found."""
    answers = {(each["code"], each["key"]): each["reason"] for each in publication.overrides}
    return {
        stage.record.stage: tuple(_told(view, each, answers) for each in stage.record.findings)
        for stage in publication.each_stage
    }


def told_of(view: View, publication: PublicationView) -> tuple[Message, ...]:
    """Why it stopped as a whole, and each reason of the policy."""
    problem = publication.problem
    if problem is None:
        return ()
    reasons = problem.get("reasons") or ()
    first = view.message(problem["code"], problem.get("params") or {})
    return (first, *(told(each["code"], each.get("params") or {}, view.language) for each in reasons))


def _told(view: View, finding: Finding, answers: dict[tuple[str, str], str]) -> FindingTold:
    return FindingTold(
        code=finding.code,
        key=finding.key,
        severity=finding.severity,
        said=view.message(finding.code, finding.params),
        answered=answers.get((finding.code, finding.key)),
        may=finding.severity == "stop" and finding.code.startswith(OVERRIDABLE),
    )
