"""The sealed session: the only place that holds who a data subject is, and it lies with that person."""

from __future__ import annotations

import hashlib
import secrets
import time
from typing import Literal

import msgspec
from msgspec import Struct

from marketplace.identity.errors import SubjectSessionEnded
from marketplace.identity.seal import SealBroken, seal, unseal

NUMBER_BYTES = 32
TOKEN_PREFIX = "sdls_"  # noqa: S105 - it begins every token and opens nothing


class Session(Struct, frozen=True, kw_only=True):
    """`subject`: the citizen's id as the provider vouches for it. `number`: random, tells sessions apart."""

    subject: str
    number: bytes
    csrf: str
    expires_at_ms: int

    def __repr__(self) -> str:
        """Without the person, wherever somebody prints it."""
        return f"Session(expires_at_ms={self.expires_at_ms})"

    @property
    def digest(self) -> bytes:
        """What may be stored of the session: SHA-256 of its number."""
        return hashlib.sha256(self.number).digest()


def new_session(subject: str, *, lifetime_s: int) -> Session:
    """A fresh session of a person."""
    return Session(
        subject=subject,
        number=secrets.token_bytes(NUMBER_BYTES),
        csrf=secrets.token_urlsafe(32),
        expires_at_ms=now_ms() + lifetime_s * 1000,
    )


def as_cookie(key: bytes, session: Session) -> str:
    """The cookie's value."""
    return seal(key, "session", msgspec.json.encode(session))


def as_token(key: bytes, session: Session, *, lifetime_s: int) -> tuple[str, int]:
    """A bearer token of the session, `sdls_…`, and when it expires (ms): never after the session."""
    expires_at_ms = min(session.expires_at_ms, now_ms() + lifetime_s * 1000)
    own = msgspec.structs.replace(session, expires_at_ms=expires_at_ms)
    return TOKEN_PREFIX + seal(key, "token", msgspec.json.encode(own)), expires_at_ms


def opened(key: bytes, kind: Literal["session", "token"], text: str) -> Session:
    """The session in a cookie, or in a token without its prefix. Raises SubjectSessionEnded."""
    try:
        session = msgspec.json.decode(unseal(key, kind, text), type=Session)
    except (SealBroken, msgspec.DecodeError):
        # No cause is chained: what was sealed must not come out with a traceback.
        raise SubjectSessionEnded from None
    if session.expires_at_ms <= now_ms():
        raise SubjectSessionEnded
    return session


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
