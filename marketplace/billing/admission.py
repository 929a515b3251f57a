"""Admit a party: its organisation and the accounts it needs, in one unit of work; and who runs the exchange."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.actions import create_organisation, create_person, set_password
from marketplace.accounts.callers import Operator
from marketplace.accounts.errors import NoSuchOperator
from marketplace.accounts.models import Organisation
from marketplace.accounts.operators import require_none
from marketplace.accounts.passwords import new_password
from marketplace.billing.accounts import ensure_accounts


async def begin_exchange(
    session: AsyncSession, *, name: str, slug: str, tax_code: str | None, email: str, person: str
) -> str:
    """Enter the first operator, `person` of the organisation `name`, who then enters everybody else. The password.

    Raises Begun where there is one, SlugTaken, EmailTaken, Invalid."""
    await require_none(session)
    organisation_id = await admit_organisation(session, kind="operator", name=name, slug=slug, tax_code=tax_code)
    return await _enter(session, organisation_id, email, person)


async def enter_operator(session: AsyncSession, *, slug: str, email: str, person: str) -> str:
    """Enter another operator, of the operator's organisation `slug`. The password.

    Raises NoSuchOperator, EmailTaken, Invalid."""
    rows = select(Organisation.slug, Organisation.id).where(Organisation.kind == "operator")
    known = {row.slug: row.id for row in await session.execute(rows.order_by(Organisation.slug))}
    if slug not in known:
        raise NoSuchOperator(slug=slug, known=", ".join(known))
    return await _enter(session, known[slug], email, person)


async def _enter(session: AsyncSession, organisation_id: UUID, email: str, person: str) -> str:
    person_id = await create_person(
        session, organisation_id=organisation_id, email=email, name=person, roles=("operator",)
    )
    password = new_password()
    await set_password(session, person_id=person_id, password=password)
    return password


async def admit_organisation(
    session: AsyncSession,
    *,
    kind: str,
    name: str,
    slug: str,
    tax_code: str | None = None,
    sector: str | None = None,
    by: Operator | None = None,
) -> UUID:
    """The new organisation's id. `by` None: the command line. Raises SlugTaken, Invalid."""
    organisation = await create_organisation(
        session, kind=kind, name=name, slug=slug, tax_code=tax_code, sector=sector, by=by
    )
    await ensure_accounts(session, organisation)
    return organisation.id
