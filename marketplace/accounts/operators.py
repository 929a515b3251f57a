"""That somebody is left who runs the exchange, and that nobody who does is two: an operator enters everybody but
operators."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import Begun, LastOperator, OperatorsAtTheMachine
from marketplace.accounts.models import Organisation, Person

_TURN = text("select pg_advisory_xact_lock(hashtextextended('operators', 2))")
_LEFT = text("""
    select exists (
        select from person p join organisation o on o.id = p.organisation_id
        where o.kind = 'operator' and 'operator' = any(p.roles) and p.deactivated_at is null
            and o.suspended_at is null
            and p.id is distinct from :person_id and o.id is distinct from :organisation_id
    )
""")


async def require_none(session: AsyncSession) -> None:
    """Nobody runs the exchange yet. Raises Begun."""
    await session.execute(_TURN)
    if await session.scalar(_LEFT, {"person_id": None, "organisation_id": None}):
        raise Begun


def require_at_the_machine(organisation: Organisation, by: Caller | None) -> None:
    """`organisation` is not the operator's, or nobody asks from outside. Raises OperatorsAtTheMachine."""
    if organisation.kind == "operator" and by is not None:
        raise OperatorsAtTheMachine


async def require_without_person(session: AsyncSession, person: Person) -> None:
    """There are operators beside this person, or it is none. Raises LastOperator."""
    organisation = await session.get_one(Organisation, person.organisation_id)
    if organisation.kind == "operator" and "operator" in person.roles:
        await _require(session, person.id, None)


async def require_without_organisation(session: AsyncSession, organisation: Organisation) -> None:
    """There are operators beside this organisation's, or it has none. Raises LastOperator."""
    if organisation.kind == "operator":
        await _require(session, None, organisation.id)


async def _require(session: AsyncSession, person_id: UUID | None, organisation_id: UUID | None) -> None:
    # In turn, until the end of the unit of work: two who end each other at once would both be the other's last.
    await session.execute(_TURN)
    if not await session.scalar(_LEFT, {"person_id": person_id, "organisation_id": organisation_id}):
        raise LastOperator
