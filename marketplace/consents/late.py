"""The clocks of withdrawals: what was acknowledged and stopped, what came too late, and at whose hands.

Here both happen when a withdrawal is recorded, so what is late is what reached the exchange late. An owner is told
of what it recorded itself; what people said themselves is never late, and only the regulator sees it counted.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.audit.actions import record
from marketplace.consents.deadlines import LAW, acknowledge_by, days_on, stop_by
from marketplace.consents.expiry import DUE
from marketplace.db.base import utcnow
from marketplace.errors import Forbidden

LOOKED_BACK_DAYS = 366
_WITHDRAWN = text("""
    SELECT o.id AS owner_id, o.name AS owner_name, d.id AS dataset_id, d.slug,
        (CASE WHEN e.recorded_by IS NULL THEN e.recorded_at ELSE e.at END AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
            AS said,
        (e.recorded_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS recorded,
        count(*) AS events
    FROM consent_event e JOIN dataset d ON d.id = e.dataset_id JOIN organisation o ON o.id = d.owner_id
    WHERE e.event IN ('withdrawn', 'revoked') AND e.recorded_at > :since
        AND (CAST(:owner AS uuid) IS NULL OR d.owner_id = :owner AND d.linkage_id IS NULL
            AND e.recorded_by IS NOT NULL)
    GROUP BY 1, 2, 3, 4, 5, 6
""")
_WAITING = text(f"""
    SELECT d.id FROM dataset d WHERE {DUE} AND (CAST(:owner AS uuid) IS NULL OR d.owner_id = :owner)
""")


class Clock(Struct, frozen=True, kw_only=True):
    """Withdrawals of one dataset, as they were recorded within the last year.

    `waiting`: consents have run out in it that are not written yet; the next query or sweep does it."""

    owner_id: UUID
    owner_name: str
    dataset_id: UUID
    slug: str
    acknowledged: int
    acknowledged_late: int
    stopped: int
    stopped_late: int
    waiting: bool


class Late(Struct, frozen=True, kw_only=True):
    """So many withdrawals said on one day and recorded on another: `due` has passed in between."""

    slug: str
    deed: str
    """acknowledge | stop"""
    said: date
    due: date
    recorded: date
    events: int


class Clocks(Struct, frozen=True, kw_only=True):
    """`law`: the configured entry whose days these are."""

    law: str
    items: tuple[Clock, ...]
    late: tuple[Late, ...]


async def view_clocks(session: AsyncSession, *, caller: Caller) -> Clocks:
    """An owner's own; all of them for the regulator, who leaves an event. Raises Forbidden."""
    if caller.organisation_kind == "owner":
        return await read_clocks(session, owner_id=caller.organisation_id)
    if caller.organisation_kind != "regulator":
        raise Forbidden(needs="owner|regulator")
    await record(
        session,
        "consent:read",
        actor_person_id=caller.person_id,
        actor_organisation_id=caller.organisation_id,
        parties=(caller.organisation_id,),
        body={"read": "late"},
    )
    return await read_clocks(session, owner_id=None)


async def read_clocks(session: AsyncSession, *, owner_id: UUID | None) -> Clocks:
    """Of an owner's datasets; None: of all."""
    asked = {"owner": owner_id, "since": utcnow() - timedelta(days=LOOKED_BACK_DAYS)}
    waiting = frozenset((await session.scalars(_WAITING, {"owner": owner_id})).all())
    counted: dict[tuple[Any, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    late: list[Late] = []
    for row in (await session.execute(_WITHDRAWN, asked)).all():
        tally = counted[row.owner_id, row.owner_name, row.dataset_id, row.slug]
        tally["events"] += row.events
        for each in _late(row):
            tally[each.deed] += each.events
            late.append(each)
    items = [
        Clock(
            owner_id=owner,
            owner_name=name,
            dataset_id=dataset,
            slug=slug,
            acknowledged=tally["events"],
            acknowledged_late=tally["acknowledge"],
            stopped=tally["events"],
            stopped_late=tally["stop"],
            waiting=dataset in waiting,
        )
        for (owner, name, dataset, slug), tally in counted.items()
    ]
    return Clocks(
        law=LAW,
        items=tuple(sorted(items, key=lambda item: item.slug)),
        late=tuple(sorted(late, key=lambda each: (each.due, each.slug, each.deed), reverse=True)),
    )


def _late(row: Any) -> list[Late]:
    days = days_on(row.said)
    if days is None:
        return []
    dues = {"acknowledge": acknowledge_by(row.said, days), "stop": stop_by(row.said, days)}
    return [
        Late(slug=row.slug, deed=deed, said=row.said, due=due, recorded=row.recorded, events=row.events)
        for deed, due in dues.items()
        if row.recorded > due
    ]
