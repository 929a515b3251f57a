"""What an application asks for, what an owner grants of it, and the form that both must have.

Whether it may be granted is the policy's to say: `policies/agreement`.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from catalog.version import Version
from marketplace.errors import Invalid
from policies.decision import Promises

JUSTIFICATION_CHARACTERS = (20, 4000)
REASON_CHARACTERS = (3, 2000)
FAR_DAYS = 36_500


class Terms(Struct, frozen=True, kw_only=True):
    """The startup's request: why, for how long (days), which of its people may ask, and what it promises."""

    purpose: str
    justification: str
    duration_days: int
    people: tuple[uuid.UUID, ...]
    promises: Promises = Promises()
    offer_id: uuid.UUID | None = None
    """Which offer it accepts; None: the one made to it alone, else the standard one."""


class Granted(Struct, frozen=True, kw_only=True):
    """What the owner grants at most. None: the whole duration asked for, all that the version has."""

    expires_at: datetime | None = None
    columns: tuple[str, ...] | None = None
    max_rows: int | None = None
    purpose_judged: bool = False

    def limits(self) -> dict[str, Any]:
        """As obligations: the policy takes the stricter of them and its own."""
        said = {"columns": list(self.columns) if self.columns is not None else None, "max_rows": self.max_rows}
        return {axis: value for axis, value in said.items() if value is not None}


def _bounds(path: str, code: str, value: int, bounds: tuple[int, int]) -> list[dict[str, Any]]:
    low, high = bounds
    if low <= value <= high:
        return []
    return [{"path": path, "code": code, "params": {"low": low, "high": high, "have": value}}]


def check_terms(terms: Terms, version: Version) -> None:
    """What no policy need be asked about. Raises Invalid with every field that is wrong."""
    chosen = [] if terms.purpose.strip() else [{"path": "purpose", "code": "application.no_purpose", "params": {}}]
    length = len(terms.justification.strip())
    bounds = _bounds("justification", "application.justification_length", length, JUSTIFICATION_CHARACTERS)
    if errors := [*chosen, *bounds, *_unknown_columns(terms.promises, version)]:
        raise Invalid(errors=errors)


def check_reason(reason: str, *, required: bool = True) -> str:
    """The reason without blanks around it. Raises Invalid when too short, too long or missing."""
    text = reason.strip()
    if not text and not required:
        return text
    if errors := _bounds("reason", "application.reason_length", len(text), REASON_CHARACTERS):
        raise Invalid(errors=errors)
    return text


def _unknown_columns(promises: Promises, version: Version) -> list[dict[str, Any]]:
    """Records are chosen by a text that all of a cohort have in common."""
    texts = [c.name for c in version.columns if c.role == "quasi-identifier" and c.type == "VARCHAR"]
    return [
        {
            "path": f"promises.records[{place}].column",
            "code": "application.records_column",
            "params": {"name": only.column, "known": ", ".join(texts)},
        }
        for place, only in enumerate(promises.records or ())
        if only.column not in texts
    ]


def latest_expiry(*, duration_days: int, at: datetime) -> datetime:
    """The end of the whole duration asked for; the policy denies one that no calendar holds."""
    return at + timedelta(days=min(max(duration_days, 0), FAR_DAYS))


def wanted_expiry(*, wanted: datetime | None, duration_days: int, at: datetime) -> datetime:
    """The owner's expiry, or the whole duration asked for. Raises Invalid for an instant without a time zone."""
    if wanted is None:
        return latest_expiry(duration_days=duration_days, at=at)
    if wanted.tzinfo is None:
        raise Invalid(errors=[{"path": "expires_at", "code": "application.expiry", "params": {}}])
    return wanted
