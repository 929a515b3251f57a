"""What a step of a month's close found apart, and which of it two people of the operator let stand.

What is let stand is one difference of one month with these figures. Whenever the step is tried, what was proposed
or let stand and is not found any more lapses, under the lock of the step: none of it reaches the trial balance.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.audit.canonical import canonical

KEPT_MOST: Final = 100
"""Of a step that is stuck; what comes after them is named once they are out of the way."""
_KEY_CHARACTERS: Final = 16
_LOCK = text("select from month_step where period = :period and step = :step for update")
_OPEN = text("""
    select id, key, rule, subject, expected, found, state from difference_acceptance
    where period = :period and step = :step and state in ('proposed', 'accepted') order by id
""")
_LAPSE = text("update difference_acceptance set state = 'lapsed' where id = :id")
_LEFT = text("""
    update month_step set differences = cast(:left as jsonb) where period = :period and step = :step
""")


class Standing(Struct, frozen=True, kw_only=True):
    """Two figures that should be one, in the currency's smallest unit; None: one side has no such row.

    `key` names it with its month, step and figures: when one of them changes, it is another."""

    key: str
    rule: str
    subject: str
    expected: int | None
    found: int | None

    @property
    def has_amount(self) -> bool:
        """Whether there are figures to let stand: a side that does not answer, or another hash, has none."""
        return self.expected is not None or self.found is not None

    @property
    def said(self) -> str:
        figures = f": {self.expected} ≠ {self.found}" if self.has_amount else ""
        return f"{self.rule} {self.subject}{figures}"


Apart = tuple[str, str, int | None, int | None]
"""rule, subject, expected, found"""


def named(period: str, step: str, apart: Iterable[Apart]) -> list[Standing]:
    """Each with its key; of several that say the same, each has its own."""
    met: Counter[Apart] = Counter()
    found = []
    for each in apart:
        met[each] += 1
        key = hashlib.sha256(canonical([period, step, *each, met[each]])).hexdigest()[:_KEY_CHARACTERS]
        rule, subject, expected, other = each
        found.append(Standing(key=key, rule=rule, subject=subject, expected=expected, found=other))
    return found


async def left_of(
    session: AsyncSession, *, period: str, step: str, found: Sequence[Standing]
) -> tuple[list[Standing], int]:
    """Those that nobody let stand, and how many were; from now on only these can be proposed or let stand."""
    await session.execute(_LOCK, {"period": period, "step": step})
    keys, accepted = {each.key for each in found}, set()
    # Stripe is silent as one, and differs by currency: `outside:stripe` stands for `outside:stripe USD` too.
    unheard = tuple(each.rule for each in found if not each.has_amount)
    for row in (await session.execute(_OPEN, {"period": period, "step": step})).all():
        if row.key not in keys and row.rule.startswith(unheard):
            continue  # whether it still stands is not known: a side that is silent for an hour undoes nothing
        if row.key not in keys:
            await session.execute(_LAPSE, {"id": row.id})
            body = {"period": period, "step": step, "acceptance": row.id, "difference": row.key, "was": row.state}
            await record(session, "difference:lapse", body=body)
        elif row.state == "accepted":
            accepted.add(row.key)
    left = [each for each in found if each.key not in accepted]
    kept = msgspec.json.encode(left[:KEPT_MOST]).decode()
    await session.execute(_LEFT, {"period": period, "step": step, "left": kept})
    return left, len(accepted)
