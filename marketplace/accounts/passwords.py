"""Passwords: argon2id, computed in a thread, because one takes tens of milliseconds and 64 MiB."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from marketplace.errors import Invalid

LEAST_CHARACTERS = 12
MOST_CHARACTERS = 256

_hasher = PasswordHasher()
_COSTS = f"m={_hasher.memory_cost},t={_hasher.time_cost},p={_hasher.parallelism}"
_NOBODY = f"$argon2id$v=19${_COSTS}${'A' * 22}${'A' * 43}"
"""Checked for an e-mail that nobody has, so that the time taken does not tell the two apart: a salt and a hash of
zeros, which no password gives, at the same costs as a real one."""


def new_password() -> str:
    """One to be told to somebody once: 16 hexadecimal digits (64 bits), in groups that can be read out."""
    return "-".join(secrets.token_hex(2) for _ in range(4))


async def hash_password(password: str) -> str:
    """Argon2id's own text form. Raises Invalid for one that is too short or too long."""
    if not LEAST_CHARACTERS <= len(password) <= MOST_CHARACTERS:
        params = {"least": LEAST_CHARACTERS, "most": MOST_CHARACTERS}
        raise Invalid(errors=[{"path": "password", "code": "accounts.password_length", "params": params}])
    return await asyncio.to_thread(_hasher.hash, password)


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; as slow for None (no such account, or none set)."""
    right = await asyncio.to_thread(_verify, stored or _NOBODY, password[:MOST_CHARACTERS])
    return right and stored is not None


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
