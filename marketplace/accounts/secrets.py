"""Secrets that are shown once and stored as SHA-256: random enough (256 bits) that no slow hash is needed."""

from __future__ import annotations

import re
import secrets
from hashlib import sha256

from msgspec import Struct

from marketplace.accounts.errors import TokenInvalid

_BEARER = re.compile(r"^[Bb]earer +sdl_([0-9a-z]{12})_([A-Za-z0-9_-]{43})$")
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class NewToken(Struct, frozen=True):
    """A fresh token: `text` for its holder, the rest to be stored."""

    text: str
    prefix: str
    secret_hash: bytes


def new_token() -> NewToken:
    """`sdl_<prefix>_<secret>`: 12 characters to look up by, 32 random bytes to prove it by."""
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    return NewToken(f"sdl_{prefix}_{secret}", prefix, sha256(secret.encode()).digest())


def split_token(authorization: str) -> tuple[str, str]:
    """Prefix and secret of an Authorization header. Raises TokenInvalid."""
    found = _BEARER.match(authorization)
    if found is None:
        raise TokenInvalid
    return found[1], found[2]


def new_cookie() -> tuple[str, bytes]:
    """A session cookie's value (32 random bytes) and what is stored of it."""
    value = secrets.token_urlsafe(32)
    return value, sha256(value.encode()).digest()
