"""Datasets that are not there: asked for, voted for by organisations, seen by owners as numbers without names."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Startup
from marketplace.audit.actions import record
from marketplace.db.base import new_id
from marketplace.db.idempotency import claim
from marketplace.errors import NotFound
from marketplace.finding.errors import DemandClosed, TooManyDemands
from marketplace.finding.models import Demand, DemandVote

OPEN = 10
"""Of one organisation."""
_BOARD = text("""
select d.id, d.title, d.reason, d.asked_at, d.closed_at is null as open, count(v.organisation_id) as votes,
    coalesce(bool_or(v.organisation_id = :organisation), false) as voted,
    d.organisation_id = :organisation as mine,
    case when cast(:named as boolean) then array_agg(o.name order by o.name) else '{}' end
        as organisations
from demand d join demand_vote v on v.demand_id = d.id join organisation o on o.id = v.organisation_id
group by d.id
order by (d.closed_at is null and d.organisation_id = :organisation) desc, d.closed_at is not null,
    votes desc, d.id desc
limit 200
""")


class DemandBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: Annotated[str, Meta(min_length=5, max_length=200)]
    reason: Annotated[str, Meta(min_length=10, max_length=2_000)]


class DemandView(Struct, frozen=True, kw_only=True):
    """`organisations`: names of those who voted, told to the operator alone."""

    id: UUID
    title: str
    reason: str
    asked_at: datetime
    open: bool
    votes: int
    voted: bool
    mine: bool
    organisations: tuple[str, ...]


class Board(Struct, frozen=True, kw_only=True):
    items: tuple[DemandView, ...]


async def read_board(session: AsyncSession, *, caller: Caller) -> Board:
    """The open ones of the caller's own organisation first, then other open ones, those with most votes first."""
    asked = {"organisation": caller.organisation_id, "named": caller.organisation_kind == "operator"}
    rows = await session.execute(_BOARD, asked)
    return Board(
        items=tuple(DemandView(**{**row._mapping, "organisations": tuple(row.organisations)}) for row in rows)
    )


async def ask_for(
    session: AsyncSession, *, asked: DemandBody, by: Startup, at: datetime, key: str | None = None
) -> UUID:
    """A new demand with the vote of who asks; with a `key` that came before, the one of then.

    Raises TooManyDemands, KeyReused.
    """
    demand_id, body = new_id(), msgspec.json.encode(("demand", asked))
    first = await claim(session, by.organisation_id, key, body, demand_id)
    if first != demand_id:
        return first
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(by.organisation_id), 27))))
    mine = (Demand.organisation_id == by.organisation_id, Demand.closed_at.is_(None))
    if (await session.scalar(select(func.count()).select_from(Demand).where(*mine)) or 0) >= OPEN:
        raise TooManyDemands(most=OPEN)
    demand = Demand(
        id=demand_id, organisation_id=by.organisation_id, asked_by=by.person_id, asked_at=at,
        title=asked.title.replace("\x00", ""), reason=asked.reason.replace("\x00", ""),
    )  # fmt: skip
    session.add(demand)
    await session.flush()
    await _vote(session, demand.id, by, at)
    await _record(session, "demand:ask", demand.id, by)
    return demand.id


async def vote_for(session: AsyncSession, *, demand_id: UUID, by: Startup, at: datetime) -> None:
    """One vote an organisation; again changes nothing. Raises NotFound, DemandClosed."""
    demand = await session.get(Demand, demand_id, with_for_update={"key_share": True})
    if demand is None:
        raise NotFound
    if demand.closed_at is not None:
        raise DemandClosed
    if await _vote(session, demand_id, by, at):
        await _record(session, "demand:vote", demand_id, by)


async def close_demand(session: AsyncSession, *, demand_id: UUID, by: Caller, at: datetime) -> None:
    """By who asked, or by the operator. Raises NotFound, DemandClosed."""
    demand = await session.get(Demand, demand_id, with_for_update=True, populate_existing=True)
    if demand is None or not (by.organisation_kind == "operator" or demand.organisation_id == by.organisation_id):
        raise NotFound
    if demand.closed_at is not None:
        raise DemandClosed
    demand.closed_at = at
    await session.flush()
    await _record(session, "demand:close", demand_id, by)


async def _vote(session: AsyncSession, demand_id: UUID, by: Startup, at: datetime) -> bool:
    values = {
        "demand_id": demand_id,
        "organisation_id": by.organisation_id,
        "voted_by": by.person_id,
        "voted_at": at,
    }
    put = insert(DemandVote).values(values).on_conflict_do_nothing().returning(DemandVote.demand_id)
    return await session.scalar(put) is not None


async def _record(session: AsyncSession, name: str, demand_id: UUID, by: Caller) -> None:
    await record(
        session,
        name,
        by=by,
        parties=(by.organisation_id,),
        body={"demand": demand_id},
    )
