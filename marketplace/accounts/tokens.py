"""API tokens: made, shown once, revoked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import SCOPES, Caller
from marketplace.accounts.errors import TooManyTokens
from marketplace.accounts.models import Person, Token
from marketplace.accounts.secrets import new_token
from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.errors import Invalid, NotFound

LIFETIME_S = Config().token_lifetime_s
MOST_LIVE_TOKENS = 50


class MadeToken(Struct, frozen=True, kw_only=True):
    """A fresh token; `token` is its only showing."""

    id: UUID
    name: str
    token: str
    scopes: tuple[str, ...]
    expires_at: datetime


async def create_token(
    session: AsyncSession,
    *,
    person_id: UUID,
    name: str,
    scopes: Sequence[str] | None = None,
    lifetime_s: int = LIFETIME_S,
) -> MadeToken:
    """A token of a person; `scopes` None: all. Raises NotFound, Invalid, TooManyTokens."""
    person = await session.get(Person, person_id, with_for_update=True)
    if person is None:
        raise NotFound(what="person")
    given = tuple(sorted(set(SCOPES if scopes is None else scopes)))
    _check(name, given)
    live = select(func.count()).where(
        Token.person_id == person_id, Token.revoked_at.is_(None), Token.expires_at > utcnow()
    )
    if (await session.scalar(live) or 0) >= MOST_LIVE_TOKENS:
        raise TooManyTokens(most=MOST_LIVE_TOKENS)
    secret = new_token()
    row = Token(
        id=new_id(),
        person_id=person_id,
        name=name.strip(),
        prefix=secret.prefix,
        secret_hash=secret.secret_hash,
        scopes=list(given),
        expires_at=utcnow() + timedelta(seconds=lifetime_s),
    )
    session.add(row)
    await session.flush()
    await _record(session, "token:create", person, row)
    return MadeToken(id=row.id, name=row.name, token=secret.text, scopes=given, expires_at=row.expires_at)


async def revoke_token(session: AsyncSession, *, token_id: UUID, by: Caller) -> None:
    """Revoke one's own token; again is harmless. Raises NotFound, also for another person's."""
    row = await session.get(Token, token_id, with_for_update=True)
    if row is None or row.person_id != by.person_id:
        raise NotFound(what="token")
    if row.revoked_at is not None:
        return
    row.revoked_at = utcnow()
    await session.flush()
    person = await session.get_one(Person, row.person_id)
    await _record(session, "token:revoke", person, row)


def _check(name: str, scopes: tuple[str, ...]) -> None:
    errors = []
    if not 0 < len(name.strip()) <= 100:
        errors.append({"path": "name", "code": "accounts.name", "params": {"most": 100}})
    if not scopes or not set(scopes) <= set(SCOPES):
        errors.append({"path": "scopes", "code": "accounts.scopes", "params": {"known": list(SCOPES)}})
    if errors:
        raise Invalid(errors=errors)


async def _record(session: AsyncSession, name: str, person: Person, token: Token) -> None:
    await record(
        session,
        name,
        actor_person_id=person.id,
        actor_organisation_id=person.organisation_id,
        parties=(person.organisation_id,),
        body={"token": str(token.id), "prefix": token.prefix, "scopes": list(token.scopes)},
    )
