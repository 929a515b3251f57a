"""Tells both sides of applications and agreements what waits for them, what was answered, and what ends.

Looks at what is, as `telling` does: whoever was told once is not told again, however often it is looked at.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from marketplace.db.engine import Database

LOOK_BACK: Final = timedelta(days=7)
"""What is older was told, or happened while nobody was there to tell it and is on its page."""
BEFORE_END: Final = timedelta(days=7)
"""So long before its last day the end of an agreement is told; of one that lasts no longer it is not."""
_INTO: Final = "insert into watch_notice (id, person_id, code, dataset_id, reference, at)"
# An application that comes back is another one to tell of: its instant tells them apart.
_ONE: Final = "a.id || '/' || extract(epoch from a.updated_at)"
_WAITS = f"""{_INTO}
select gen_random_uuid(), p.id, 'application_waits', a.dataset_id, {_ONE}, a.updated_at
from application a join person p on p.organisation_id in (a.owner_id, a.partner_id)
where a.updated_at > :since and a.state = 'submitted' and a.first_yes is null and 'approver' = any(p.roles)
    and p.deactivated_at is null
on conflict do nothing returning id"""
_ANSWERED = f"""{_INTO}
select gen_random_uuid(), p.id, 'application_' || a.state, a.dataset_id, {_ONE}, a.updated_at
from application a join person p on p.id = a.applicant_id or p.id = any(a.people)
where a.updated_at > :since and a.state in ('accepted', 'returned', 'rejected') and p.deactivated_at is null
on conflict do nothing returning id"""
_ENDED = f"""{_INTO}
select gen_random_uuid(), p.id, 'agreement_ended', a.dataset_id, a.id::text, a.ended_at
from agreement a join person p on p.id = any(a.people)
    or p.organisation_id in (a.owner_id, a.partner_id) and 'approver' = any(p.roles)
where a.ended_at > :since and p.id is distinct from a.ended_by and p.deactivated_at is null
on conflict do nothing returning id"""
_ENDS = f"""{_INTO}
select gen_random_uuid(), p.id, 'agreement_ends', a.dataset_id, a.id::text, a.expires_at - :before
from agreement a join person p on p.id = any(a.people)
where a.expires_at > :at and a.expires_at <= :at + :before and a.expires_at - :before > a.valid_from
    and a.ended_at is null and p.deactivated_at is null
on conflict do nothing returning id"""
_LOOKS = tuple(map(text, (_WAITS, _ANSWERED, _ENDED, _ENDS)))


async def tell_agreements(database: Database, *, at: datetime) -> int:
    """Approvers of what waits for them, applicants of the answer, both of an end. How many notices."""
    given = {"at": at, "since": at - LOOK_BACK, "before": BEFORE_END}
    async with database.session() as session:
        return sum([len((await session.execute(look, given)).all()) for look in _LOOKS])
