"""Salted commitments: SHA-256(salt || value). Without the salt nothing is learned, with it anyone can check."""

from __future__ import annotations

import hashlib
import secrets

SALT_BYTES = 16


def commit(value: bytes | str) -> tuple[bytes, bytes]:
    """A fresh salt (16 bytes) and the commitment (32 bytes) to `value` under it."""
    salt = secrets.token_bytes(SALT_BYTES)
    return salt, commitment(salt, value)


def commitment(salt: bytes, value: bytes | str) -> bytes:
    """The commitment (32 bytes) to `value` (text as UTF-8) under `salt`."""
    return hashlib.sha256(salt + (value.encode() if isinstance(value, str) else value)).digest()
