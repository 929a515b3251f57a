"""Signing in and out with a local account, and its password.

These open their own units of work: the password is checked between two of them, never inside one (it takes
long), and a failed attempt must be on record although the caller gets an error.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.actions import set_password
from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import CurrentPasswordWrong, PersonInactive, TooManyAttempts, WrongPassword
from marketplace.accounts.models import LoginAttempt, Person, WebSession
from marketplace.accounts.passwords import verify_password
from marketplace.accounts.secrets import new_cookie
from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database

_BY_EMAIL = text("select id, organisation_id, password_hash, deactivated_at from person where email = :email")
_BY_ID = text("select email, password_hash from person where id = :id")
_ONE_AT_A_TIME = text("select pg_advisory_xact_lock(hashtextextended(:key, 1))")


async def sign_in(
    database: Database, config: Config, *, email: str, password: str, address: str, device: str | None = None
) -> str:
    """The value of a fresh session's cookie. `device`: what `devices.known_device` tells.

    Raises WrongPassword, TooManyAttempts, PersonInactive."""
    wanted = email.strip().lower()
    attempt_id = await _count_attempt(database, config, wanted, address, known=device)
    person = await database.one(_BY_EMAIL, {"email": wanted})
    if not await verify_password(person.password_hash if person else None, password) or person is None:
        raise WrongPassword
    if person.deactivated_at is not None:
        raise PersonInactive
    async with database.session() as session:
        await session.execute(delete(LoginAttempt).where(LoginAttempt.id == attempt_id))
        return await _open(session, config, person.id, person.organisation_id)


async def change_password(
    database: Database, config: Config, *, by: Caller, current: str, password: str, address: str
) -> None:
    """The caller's own password, for whoever knows the one until now; ends every session of the caller's.

    Raises CurrentPasswordWrong, TooManyAttempts, Invalid."""
    (person,) = await database.all(_BY_ID, {"id": by.person_id})
    attempt_id = await _count_attempt(database, config, person.email, address, known=f"person {by.person_id}")
    if not await verify_password(person.password_hash, current):
        raise CurrentPasswordWrong
    async with database.session() as session:
        await session.execute(delete(LoginAttempt).where(LoginAttempt.id == attempt_id))
        await set_password(session, person_id=by.person_id, password=password, by=by)


async def sign_out(database: Database, *, cookie: str) -> None:
    """End the cookie's session; an unknown one is ended already."""
    async with database.session() as session:
        ended = await session.scalar(
            delete(WebSession)
            .where(WebSession.id == sha256(cookie.encode()).digest())
            .returning(WebSession.person_id)
        )
        if ended is not None:
            person = await session.get_one(Person, ended)
            await _record(session, "person:sign_out", person.id, person.organisation_id)


async def _count_attempt(
    database: Database, config: Config, email: str, address: str, *, known: str | None
) -> UUID:
    """Count this attempt before it is judged, so that many at once are all counted. Raises TooManyAttempts.

    `known`: a browser or person whose failures are its own. What strangers do counts for the account and for their
    address, so they shut out neither whoever is known nor, from a few addresses, anybody."""
    most, of_account = config.login_attempts_per_window, config.login_account_attempts_per_window
    if known is not None:
        email, address, of_account = known, known, most
    digest, now = sha256(email.encode()).digest(), utcnow()
    since = now - timedelta(seconds=config.login_window_s)
    async with database.session() as session:
        for key in (digest.hex(), f"address {address}"):
            await session.execute(_ONE_AT_A_TIME, {"key": key})
        for same, allowed in (
            (LoginAttempt.email_hash == digest, of_account),
            (LoginAttempt.address == address, most),
        ):
            counted = select(func.count(), func.min(LoginAttempt.at)).where(same, LoginAttempt.at > since)
            attempts, oldest = (await session.execute(counted)).one()
            if attempts >= allowed:
                wait_s = config.login_window_s - int((now - oldest).total_seconds())
                raise TooManyAttempts(
                    attempts=attempts,
                    window_s=config.login_window_s,
                    retry_after_s=wait_s,
                    headers={"Retry-After": str(wait_s)},
                )
        row = LoginAttempt(id=new_id(), email_hash=digest, address=address, at=now)
        session.add(row)
        await session.execute(delete(LoginAttempt).where(LoginAttempt.at <= since))
        return row.id


async def _open(session: AsyncSession, config: Config, person_id: UUID, organisation_id: UUID) -> str:
    cookie, digest = new_cookie()
    now = utcnow()
    await session.execute(
        delete(WebSession).where(WebSession.person_id == person_id, WebSession.expires_at <= now)
    )
    session.add(
        WebSession(
            id=digest,
            person_id=person_id,
            csrf_token=secrets.token_urlsafe(32),
            expires_at=now + timedelta(seconds=config.session_lifetime_s),
        )
    )
    await _record(session, "person:sign_in", person_id, organisation_id)
    return cookie


async def _record(session: AsyncSession, name: str, person_id: UUID, organisation_id: UUID) -> None:
    await record(
        session, name, actor_person_id=person_id, actor_organisation_id=organisation_id, parties=(organisation_id,)
    )
