"""A query whose price is set aside, as whoever ends it has to know it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import text

from marketplace.billing.actions import Part
from marketplace.billing.price import Item
from marketplace.db.engine import Database

HELD = text("""
select q.organisation_id, q.person_id, q.purpose,
       to_char(q.created_at at time zone 'Asia/Ho_Chi_Minh', 'YYYY-MM') as month,
       q.budget_hold_id, q.rho_micro, l.agreement_id, l.decision_id,
       l.dataset_id, l.owner_id,
       a.partner_id, a.lead_basis_points,
       l.version_id, l.revision, l.columns, l.bytes, l.quote_vnd,
       l.offer_id, l.items, l.trial_vnd, l.hold_id, l.excluded_seen
from query q join query_line l on l.query_id = q.id join agreement a on a.id = l.agreement_id
where q.id = :id and q.state in ('queued', 'running') order by l.agreement_id
""")


_WHOSE = ("organisation_id", "person_id", "purpose", "month", "budget_hold_id", "rho_micro")


class LineRow(Struct, frozen=True, kw_only=True):
    """A row of `query_line`, with what its agreement says of a joint dataset's owners.

    `excluded_seen`: exclusions in force when it was decided; a denied one has no hold,
    and no version where none is listed."""

    agreement_id: UUID
    decision_id: UUID
    dataset_id: UUID
    owner_id: UUID
    partner_id: UUID | None
    lead_basis_points: int | None
    version_id: str | None
    revision: int
    columns: tuple[str, ...]
    bytes: int
    quote_vnd: int
    offer_id: UUID | None
    items: tuple[Item, ...]
    trial_vnd: int | None
    hold_id: UUID | None
    excluded_seen: int

    @property
    def owners(self) -> tuple[UUID, ...]:
        """One, or of a joint dataset both."""
        return (self.owner_id,) if self.partner_id is None else (self.owner_id, self.partner_id)


class Held(Struct, frozen=True, kw_only=True):
    """`lines`: in the order of their agreements' ids."""

    id: UUID
    organisation_id: UUID
    person_id: UUID
    purpose: str
    month: str
    """YYYY-MM, in which it is counted."""
    lines: tuple[LineRow, ...]
    budget_hold_id: UUID | None = None
    """Of its privacy budget, in dp mode: `rho_micro` of it."""
    rho_micro: int = 0

    @property
    def quote_vnd(self) -> int:
        return sum(line.quote_vnd for line in self.lines)

    @property
    def versions(self) -> list[str]:
        """In the one order in which everybody locks them."""
        return sorted(line.version_id for line in self.lines if line.version_id is not None)

    def parts(self) -> list[Part]:
        """What it pays for each dataset."""
        return [_part(self.id, line) for line in self.lines]


def _part(query_id: UUID, line: LineRow) -> Part:
    assert line.hold_id is not None  # its price is set aside
    return Part(
        query_id=query_id,
        dataset_id=line.dataset_id,
        owner_id=line.owner_id,
        partner_id=line.partner_id,
        lead_basis_points=line.lead_basis_points,
        hold_id=line.hold_id,
        amount_vnd=line.quote_vnd,
    )


def _line(row: dict[str, Any]) -> LineRow:
    fields = {name: row[name] for name in LineRow.__struct_fields__}
    return LineRow(**fields | {"items": msgspec.convert(row["items"], tuple[Item, ...])})


async def read_held(database: Database, query_id: UUID) -> Held | None:
    """A query that somebody left; None: it has ended."""
    found = [each._asdict() for each in await database.all(HELD, {"id": query_id})]
    if not found:
        return None
    whose: dict[str, Any] = {name: found[0][name] for name in _WHOSE}
    lines = (_line(row) for row in found)
    return Held(id=query_id, **whose, lines=tuple(lines))
