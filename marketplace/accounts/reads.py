"""What is shown of organisations, people and tokens."""

from __future__ import annotations

from uuid import UUID

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import NobodyThere
from marketplace.accounts.models import Organisation, Person, Token
from marketplace.accounts.schemas import OrganisationView, PersonView, TokenView

MOST_ROWS = 1_000


class Colleague(Struct, frozen=True):
    """Somebody of the same organisation who is active."""

    id: UUID
    name: str
    roles: tuple[str, ...]


async def colleagues(session: AsyncSession, organisation_id: UUID) -> tuple[Colleague, ...]:
    """The active people of an organisation, by name."""
    rows = await session.execute(
        select(Person.id, Person.name, Person.roles)
        .where(Person.organisation_id == organisation_id, Person.deactivated_at.is_(None))
        .order_by(Person.name, Person.id)
        .limit(MOST_ROWS)
    )
    return tuple(Colleague(row.id, row.name, tuple(row.roles)) for row in rows)


async def tokens(session: AsyncSession, caller: Caller) -> tuple[TokenView, ...]:
    """The caller's own tokens, newest first, without their secrets."""
    columns = (
        Token.id,
        Token.name,
        Token.prefix,
        Token.scopes,
        Token.expires_at,
        Token.revoked_at,
        Token.created_at,
    )
    rows = await session.execute(
        select(*columns).where(Token.person_id == caller.person_id).order_by(Token.id.desc()).limit(MOST_ROWS)
    )
    return tuple(TokenView(**{**row._mapping, "scopes": tuple(row.scopes)}) for row in rows)


async def operator_name(session: AsyncSession) -> str | None:
    """Whom to ask who runs the exchange; None while nobody does."""
    rows = select(Organisation.name).where(Organisation.kind == "operator", Organisation.suspended_at.is_(None))
    return await session.scalar(rows.order_by(Organisation.id).limit(1))


async def organisations(session: AsyncSession) -> tuple[OrganisationView, ...]:
    """Every organisation, by name, for the operator."""
    columns = (
        Organisation.id, Organisation.kind, Organisation.name, Organisation.slug, Organisation.tax_code,
        Organisation.sector, Organisation.suspended_at,
    )  # fmt: skip
    rows = await session.execute(select(*columns).order_by(Organisation.name, Organisation.id).limit(MOST_ROWS))
    return tuple(OrganisationView(**row._mapping) for row in rows)


async def organisation(session: AsyncSession, organisation_id: UUID) -> OrganisationView:
    """One organisation that is known to exist."""
    found = await session.get_one(Organisation, organisation_id)
    return OrganisationView(
        id=found.id,
        kind=found.kind,
        name=found.name,
        slug=found.slug,
        tax_code=found.tax_code,
        sector=found.sector,
        suspended_at=found.suspended_at,
    )


async def person_by_email(session: AsyncSession, email: str) -> UUID:
    """Whose address it is. Raises NobodyThere."""
    found: UUID | None = await session.scalar(select(Person.id).where(Person.email == email.strip().lower()))
    if found is None:
        raise NobodyThere(email=email)
    return found


async def email_of(session: AsyncSession, person_id: UUID) -> str:
    """Of a person who is known to exist."""
    return (await session.get_one(Person, person_id)).email


async def people(session: AsyncSession, organisation_id: UUID) -> tuple[PersonView, ...]:
    """Everybody of an organisation, by name."""
    columns = (Person.id, Person.email, Person.name, Person.roles, Person.deactivated_at)
    rows = await session.execute(
        select(*columns)
        .where(Person.organisation_id == organisation_id)
        .order_by(Person.name, Person.id)
        .limit(MOST_ROWS)
    )
    return tuple(PersonView(**{**row._mapping, "roles": tuple(row.roles)}) for row in rows)
