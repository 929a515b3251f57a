"""Verbs on organisations and people. Each writes its event in the same unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import EmailTaken, SlugTaken
from marketplace.accounts.models import LoginAttempt, Organisation, Person, Token, WebSession
from marketplace.accounts.operators import (
    require_at_the_machine,
    require_without_organisation,
    require_without_person,
)
from marketplace.accounts.parties import check_organisation, check_person
from marketplace.accounts.passwords import hash_password
from marketplace.audit.actions import record
from marketplace.audit.erasing import erase_secrets
from marketplace.db.base import new_id, utcnow
from marketplace.errors import NotFound

ERASED: Final = "@erased.invalid"
"""Ends the address of whoever was erased: it reaches nobody (RFC 2606), and nobody signs in with it."""
UNNAMED: Final = "—"


async def create_organisation(
    session: AsyncSession,
    *,
    kind: str,
    name: str,
    slug: str,
    tax_code: str | None = None,
    sector: str | None = None,
    by: Caller | None = None,
) -> Organisation:
    """Enter an organisation; its accounts are opened by `billing.admission`. Raises Invalid, SlugTaken."""
    check_organisation(kind=kind, name=name, slug=slug, tax_code=tax_code, sector=sector)
    row = {
        "id": new_id(), "kind": kind, "name": name.strip(), "slug": slug, "tax_code": tax_code, "sector": sector,
    }  # fmt: skip
    made: Organisation | None = await session.scalar(
        insert(Organisation).values(**row, created_at=utcnow()).on_conflict_do_nothing().returning(Organisation)
    )
    if made is None:
        raise SlugTaken(slug=slug)
    await _record(session, "organisation:create", made.id, by, {"kind": kind, "slug": slug})
    return made


async def create_person(
    session: AsyncSession,
    *,
    organisation_id: UUID,
    email: str,
    name: str,
    roles: Sequence[str],
    by: Caller | None = None,
) -> UUID:
    """Enter a person, without a password yet; the id. `by` None: the command line.

    Raises NotFound, Invalid, EmailTaken, OperatorsAtTheMachine."""
    organisation = await session.get(Organisation, organisation_id)
    if organisation is None:
        raise NotFound(what="organisation")
    require_at_the_machine(organisation, by)
    address = email.strip().lower()
    check_person(kind=organisation.kind, email=address, name=name, roles=roles)
    row = {"id": new_id(), "organisation_id": organisation_id, "email": address, "name": name.strip()}
    made = insert(Person).values(**row, roles=sorted(set(roles)), created_at=utcnow())
    person_id: UUID | None = await session.scalar(made.on_conflict_do_nothing().returning(Person.id))
    if person_id is None:
        raise EmailTaken(email=address)
    body = {"person": str(person_id), "roles": sorted(set(roles))}
    secrets = {"email": address, "name": name.strip()}
    await _record(session, "person:create", organisation_id, by, body, secrets)
    return person_id


async def set_password(session: AsyncSession, *, person_id: UUID, password: str, by: Caller | None = None) -> None:
    """Set a person's password (argon2id); who was signed in is so no more.

    Raises NotFound, Invalid; OperatorsAtTheMachine where one operator gives it to another."""
    hashed = await hash_password(password)  # before the lock: it takes long
    person = await _person(session, person_id)
    if by is None or by.person_id != person_id:
        require_at_the_machine(await session.get_one(Organisation, person.organisation_id), by)
    person.password_hash = hashed
    await session.execute(delete(WebSession).where(WebSession.person_id == person_id))
    await _record(session, "person:set_password", person.organisation_id, by, {"person": str(person_id)})


async def deactivate_person(session: AsyncSession, *, person_id: UUID, by: Caller) -> None:
    """From now on neither tokens nor sessions of this person are good. Again is harmless.

    Raises NotFound, LastOperator."""
    person = await _person(session, person_id)
    if person.deactivated_at is not None:
        return
    await require_without_person(session, person)
    person.deactivated_at = utcnow()
    await _record(session, "person:deactivate", person.organisation_id, by, {"person": str(person_id)})


async def erase_person(session: AsyncSession, *, person_id: UUID, by: Caller) -> None:
    """Who it was is gone: from its row, tokens and sessions, and from the log, whose proofs all still hold.

    What it did stays, under an id that says nothing. Again is harmless. Raises NotFound, LastOperator."""
    person = await _person(session, person_id)
    if person.email.endswith(ERASED):
        return
    await require_without_person(session, person)
    tried = LoginAttempt.email_hash == sha256(person.email.encode()).digest()
    await session.execute(delete(LoginAttempt).where(tried))
    person.email, person.name, person.password_hash = f"{person_id}{ERASED}", UNNAMED, None
    person.deactivated_at = person.deactivated_at or utcnow()
    for owned in (WebSession, Token):
        await session.execute(delete(owned).where(owned.person_id == person_id))
    about = {"person": str(person_id)}
    erased = await erase_secrets(
        session, name="person:create", party=person.organisation_id, about=about, at=person.created_at
    )
    body = {"person": str(person_id), "commitments": erased}
    await _record(session, "person:erase", person.organisation_id, by, body)


async def suspend_organisation(session: AsyncSession, *, organisation_id: UUID, reason: str, by: Caller) -> None:
    """Stop an organisation: its queries are denied. Again is harmless. Raises NotFound, LastOperator."""
    organisation = await _organisation(session, organisation_id)
    if organisation.suspended_at is not None:
        return
    await require_without_organisation(session, organisation)
    organisation.suspended_at = utcnow()
    await _record(session, "organisation:suspend", organisation_id, by, {"reason": reason})


async def unsuspend_organisation(session: AsyncSession, *, organisation_id: UUID, reason: str, by: Caller) -> None:
    """Let an organisation go on. Again is harmless. Raises NotFound."""
    organisation = await _organisation(session, organisation_id)
    if organisation.suspended_at is None:
        return
    organisation.suspended_at = None
    await _record(session, "organisation:unsuspend", organisation_id, by, {"reason": reason})


async def _organisation(session: AsyncSession, organisation_id: UUID) -> Organisation:
    found = await session.get(Organisation, organisation_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(what="organisation")
    return found


async def _person(session: AsyncSession, person_id: UUID) -> Person:
    found = await session.get(Person, person_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NotFound(what="person")
    return found


async def _record(
    session: AsyncSession,
    name: str,
    organisation_id: UUID,
    by: Caller | None,
    body: dict[str, Any],
    secrets: dict[str, str] | None = None,
) -> None:
    await session.flush()
    await record(
        session,
        name,
        by=by,
        parties=(organisation_id,),
        body={"organisation": str(organisation_id), **body},
        secrets=secrets or {},
    )
