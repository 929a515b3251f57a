"""Makes parties for tests through the real verbs, with names that nobody else has."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import SCOPES, Caller
from marketplace.accounts.models import Organisation, Person, Token
from marketplace.accounts.secrets import new_token
from marketplace.billing.accounts import ensure_accounts
from marketplace.db.base import utcnow
from marketplace.db.engine import Database

ROLES = {
    "startup": ["admin", "analyst"],
    "owner": ["steward", "approver"],
    "regulator": ["reader"],
    "operator": ["operator"],
}


class Party(Struct, frozen=True):
    """An organisation with one person of every role, and that person's token."""

    organisation: Organisation
    person: Person
    token: str
    caller: Caller


class Make:
    async def organisation(self, session: AsyncSession, *, kind: str = "startup", name: str = "") -> Organisation:
        """A fresh organisation with its accounts."""
        slug = f"{kind}-{secrets.token_hex(6)}"
        organisation = Organisation(kind=kind, name=name or slug, slug=slug)
        session.add(organisation)
        await session.flush()
        await ensure_accounts(session, organisation)
        return organisation

    async def person(
        self, session: AsyncSession, organisation: Organisation, *, roles: Sequence[str] | None = None
    ) -> Person:
        """A fresh person; every role of the organisation's kind unless told."""
        name = f"p-{secrets.token_hex(6)}"
        given = ROLES[organisation.kind] if roles is None else roles
        person = Person(
            organisation_id=organisation.id, email=f"{name}@example.test", name=name, roles=list(given)
        )
        session.add(person)
        await session.flush()
        return person

    async def token(
        self,
        session: AsyncSession,
        person: Person,
        *,
        scopes: Sequence[str] = SCOPES,
        lifetime: timedelta = timedelta(days=1),
    ) -> str:
        """The text of a fresh token."""
        token = new_token()
        row = Token(
            person_id=person.id,
            name="test",
            prefix=token.prefix,
            secret_hash=token.secret_hash,
            scopes=list(scopes),
            expires_at=utcnow() + lifetime,
        )
        session.add(row)
        await session.flush()
        return token.text

    async def caller(
        self,
        session: AsyncSession,
        *,
        kind: str = "startup",
        roles: Sequence[str] | None = None,
        as_type: type[Caller] = Caller,
    ) -> Caller:
        """A caller of a fresh organisation, as the type that handlers would get."""
        organisation = await self.organisation(session, kind=kind)
        return self.caller_of(organisation, await self.person(session, organisation, roles=roles), as_type)

    def caller_of(self, organisation: Organisation, person: Person, as_type: type[Caller] = Caller) -> Caller:
        """The caller that a person of an organisation would be."""
        return as_type(
            person_id=person.id,
            person_name=person.name,
            organisation_id=organisation.id,
            organisation_name=organisation.name,
            organisation_kind=organisation.kind,
            roles=tuple(person.roles),
            scopes=SCOPES,
            organisation_suspended=organisation.suspended_at is not None,
            via="session",
        )

    async def party(
        self,
        database: Database,
        *,
        kind: str = "startup",
        roles: Sequence[str] | None = None,
        scopes: Sequence[str] = SCOPES,
    ) -> Party:
        """Organisation, person and token, committed, for tests over HTTP."""
        async with database.session() as session:
            organisation = await self.organisation(session, kind=kind)
            person = await self.person(session, organisation, roles=roles)
            token = await self.token(session, person, scopes=scopes)
        return Party(organisation, person, token, self.caller_of(organisation, person))
