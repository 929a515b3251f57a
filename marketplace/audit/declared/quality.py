"""What was found of data, and promises about it."""

from __future__ import annotations

from typing import Any

from marketplace.audit.registry import Body, event


@event(
    "quality:check", "a version's quality was judged: its source by its owner's suite, or what others see of it"
)
class QualityChecked(Body, frozen=True):
    """`scores`: one an axis, `catalog.quality.report.AxisScore`; `drifted`: columns far from the last version."""

    room: str
    judge: str
    scores: tuple[dict[str, Any], ...]
    failed: int
    errors: int
    drifted: tuple[str, ...]


@event("quality:unseen", "a listed version could not be looked at, and is not tried again; `reason`: a code")
class VersionUnseen(Body, frozen=True):
    reason: str
    attempts: int


@event("quality:overdue", "the next version of a dataset was due and is not there")
class VersionOverdue(Body, frozen=True):
    due_at: int


@event(
    "quality:breach", "a promise of an agreement's offer did not hold; `promise`: accurate, complete, clean, live"
)
class PromiseBroken(Body, frozen=True):
    period: str
    promise: str
    promised_permille: int | None
    found_permille: int | None
    credit_permille: int
