"""What can be recorded at all: the same for a single event and for a line of a file, whoever the person is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from marketplace.consents.errors import (
    ExpiryOfNothing,
    InTheFuture,
    NoSubjects,
    PurposeUnknown,
    RunsOutBefore,
    SubjectLength,
)
from marketplace.consents.schemas import Said
from marketplace.errors import Invalid

MAX_SUBJECT_BYTES = 256
CLOCK_SKEW = timedelta(minutes=5)
FIRST_YEAR = 1900
"""Nobody said anything earlier; what PostgreSQL holds before year 1 Python cannot read back."""
LAST_YEAR = 2999


class Rules(Struct, frozen=True, kw_only=True):
    """What a dataset takes, and the instant against which clocks are read."""

    purposes: Sequence[str]
    now: datetime
    skew: timedelta = CLOCK_SKEW

    def check(
        self, *, subject: str, purpose: str, event: Said, at: datetime, expires_at: datetime | None
    ) -> datetime:
        """When it counts as said: not after now, so that a clock that runs ahead outlasts no withdrawal.

        Raises PurposeUnknown, InTheFuture, SubjectLength, ExpiryOfNothing, RunsOutBefore, Invalid."""
        if purpose not in self.purposes:
            raise PurposeUnknown(purpose=purpose[:100], purposes=list(self.purposes))
        if at.year < FIRST_YEAR:
            raise Invalid(errors=[{"path": "at", "code": "request.unstorable", "params": {}}])
        if at > self.now + self.skew:
            raise InTheFuture
        if not 1 <= len(subject.strip().encode()) <= MAX_SUBJECT_BYTES:
            raise SubjectLength(max_bytes=MAX_SUBJECT_BYTES)
        if expires_at is not None:
            if event != "given":
                raise ExpiryOfNothing
            if expires_at.year > LAST_YEAR:
                raise Invalid(errors=[{"path": "expires_at", "code": "request.unstorable", "params": {}}])
            if expires_at <= at:
                raise RunsOutBefore
        return min(at, self.now)


def rules_of(manifest: dict[str, Any], *, now: datetime, skew: timedelta = CLOCK_SKEW) -> Rules:
    """The rules of a dataset. Raises NoSubjects for one whose rows name nobody."""
    if manifest.get("privacy_unit") != "column":
        raise NoSubjects
    return Rules(purposes=tuple(manifest["purposes"]), now=now, skew=skew)
