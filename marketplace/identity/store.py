"""Sessions that are over, and how often one asks: stored without who it is."""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.identity.errors import SubjectSessionEnded, TooManyRequests
from marketplace.identity.models import EndedSession, RequestCount
from marketplace.identity.session import Session

_COUNT = text("""
    INSERT INTO subject_request_count AS known (key, began_at, requests) VALUES (:key, :now, 1)
    ON CONFLICT (key) DO UPDATE SET
        requests = CASE WHEN known.began_at > :since THEN known.requests + 1 ELSE 1 END,
        began_at = CASE WHEN known.began_at > :since THEN known.began_at ELSE excluded.began_at END
    RETURNING requests, began_at, EXISTS (SELECT FROM ended_subject_session WHERE id = :session) AS ended
""")
_END = text("""
    INSERT INTO ended_subject_session (id, expires_at) VALUES (:id, :expires_at)
    ON CONFLICT DO NOTHING RETURNING id
""")


async def admit_session(database: Database, config: Config, keys: Keys, session: Session) -> None:
    """Count a request of a session, in one statement. Raises SubjectSessionEnded, TooManyRequests."""
    ended = await _count(
        database, config, _key(keys, b"session", session.number), session.digest,
        most=config.subject_requests_per_window,
    )  # fmt: skip
    if ended:
        raise SubjectSessionEnded


async def admit_sign_in(database: Database, config: Config, keys: Keys, *, address: str) -> None:
    """Count a sign-in that begins at an address, and forget what is over. Raises TooManyRequests."""
    key = _key(keys, b"address", address.encode())
    await _count(database, config, key, b"", most=config.subject_sign_ins_per_window)
    async with database.session() as session:
        now = utcnow()
        await session.execute(delete(EndedSession).where(EndedSession.expires_at <= now))
        over = now - timedelta(seconds=config.subject_window_s)
        await session.execute(delete(RequestCount).where(RequestCount.began_at <= over))


async def spend(session: AsyncSession, state: str, *, lifetime_s: int) -> bool:
    """Let a sign-in's `state`, which lives `lifetime_s` at most, be answered; False if it was before."""
    expires_at = utcnow() + timedelta(seconds=lifetime_s)
    spent = {"id": hashlib.sha256(state.encode()).digest(), "expires_at": expires_at}
    return await session.scalar(_END, spent) is not None


async def end_session(session: AsyncSession, config: Config, ended: Session) -> bool:
    """From now on no cookie and no token of the session opens anything; False if it had ended already."""
    # Not the time of what was presented: a token may run out before the cookie of the same session.
    expires_at = utcnow() + timedelta(seconds=config.subject_session_lifetime_s)
    return await session.scalar(_END, {"id": ended.digest, "expires_at": expires_at}) is not None


async def _count(database: Database, config: Config, key: bytes, session: bytes, *, most: int) -> bool:
    now = utcnow()
    window = timedelta(seconds=config.subject_window_s)
    async with database.session() as work:
        asked = {"key": key, "now": now, "since": now - window, "session": session}
        row = (await work.execute(_COUNT, asked)).one()
    if row.requests > most:
        wait_s = max(1, int((row.began_at + window - now).total_seconds()))
        raise TooManyRequests(
            most=most,
            window_s=config.subject_window_s,
            retry_after_s=wait_s,
            headers={"Retry-After": str(wait_s)},
        )
    return bool(row.ended)


def _key(keys: Keys, kind: bytes, value: bytes) -> bytes:
    return hmac.digest(keys.salt_key(), b"subject " + kind + b" " + value, hashlib.sha256)
