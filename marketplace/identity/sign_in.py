"""Signing in and out of data subjects. What happened is logged, who it was is not."""

from __future__ import annotations

import hmac
import secrets

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.identity.errors import SignInCancelled, SignInStale
from marketplace.identity.id_token import subject_of
from marketplace.identity.provider import Provider
from marketplace.identity.seal import SealBroken, seal, unseal
from marketplace.identity.session import Session, as_cookie, as_token, new_session, now_ms
from marketplace.identity.store import end_session, spend

SIGN_IN_LIFETIME_S = 600
"""How long a person may take at the provider's pages."""


class Begun(Struct, frozen=True, kw_only=True):
    """A sign-in under way, sealed in the browser's cookie."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    expires_at_ms: int


class Answered(Struct, frozen=True, kw_only=True):
    """What the provider sent the browser back with; empty where it sent nothing."""

    state: str
    code: str
    error: str
    issuer: str


async def begin_sign_in(provider: Provider, keys: Keys, *, redirect_uri: str) -> tuple[str, str]:
    """Where to send the browser, and the cookie it must come back with.

    Raises SignInNotConfigured, ProviderUnavailable.
    """
    begun = Begun(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        redirect_uri=redirect_uri,
        expires_at_ms=now_ms() + SIGN_IN_LIFETIME_S * 1000,
    )
    url = await provider.authorization_url(
        redirect_uri=redirect_uri, state=begun.state, nonce=begun.nonce, verifier=begun.verifier
    )
    return url, seal(keys.subject_seal(), "sign-in", msgspec.json.encode(begun))


async def finish_sign_in(
    provider: Provider, database: Database, config: Config, keys: Keys, *, cookie: str, answered: Answered
) -> str:
    """The session's cookie. Raises SignInStale, SignInCancelled, IdTokenRefused, ProviderUnavailable."""
    begun = _begun(keys, cookie, answered)
    async with database.session() as session:
        # Before the provider is asked: however often a browser comes back, we ask once.
        if not await spend(session, begun.state, lifetime_s=SIGN_IN_LIFETIME_S):
            raise SignInStale
    if answered.issuer and answered.issuer != config.oidc_issuer:
        raise SignInStale  # RFC 9207: the answer of another provider
    if answered.error or not answered.code:
        raise SignInCancelled
    id_token = await provider.redeem(code=answered.code, redirect_uri=begun.redirect_uri, verifier=begun.verifier)
    subject = await subject_of(id_token, provider, config, nonce=begun.nonce)
    async with database.session() as session:
        await record(session, "subject:sign_in")
    return as_cookie(keys.subject_seal(), new_session(subject, lifetime_s=config.subject_session_lifetime_s))


async def sign_out(session: AsyncSession, config: Config, ended: Session) -> None:
    """End a session and all its tokens; again is harmless."""
    if await end_session(session, config, ended):
        await record(session, "subject:sign_out")


async def make_token(session: AsyncSession, config: Config, keys: Keys, of: Session) -> tuple[str, int]:
    """A bearer token of a session, and when it expires (ms). It ends with the session."""
    made = as_token(keys.subject_seal(), of, lifetime_s=config.subject_token_lifetime_s)
    await record(session, "subject:make_token")
    return made


def _begun(keys: Keys, cookie: str, answered: Answered) -> Begun:
    try:
        begun = msgspec.json.decode(unseal(keys.subject_seal(), "sign-in", cookie), type=Begun)
    except (SealBroken, msgspec.DecodeError):
        raise SignInStale from None
    if begun.expires_at_ms <= now_ms():
        raise SignInStale
    if not hmac.compare_digest(begun.state.encode(), answered.state.encode()):
        raise SignInStale
    return begun
