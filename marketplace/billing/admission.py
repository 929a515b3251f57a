"""Admit a party: its organisation and the accounts it needs, in one unit of work."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.actions import create_organisation
from marketplace.accounts.callers import Operator
from marketplace.billing.accounts import ensure_accounts


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
