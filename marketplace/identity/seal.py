"""What a browser or a program holds for us: encrypted and authenticated, so that we need not store it."""

from __future__ import annotations

import base64
import binascii
import re
import secrets
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
_ALPHABET = re.compile(r"[A-Za-z0-9_-]+")
MOST_CHARACTERS = 4096
Kind = Literal["sign-in", "session", "token"]
"""Bound into the seal: a thing of one kind opens as no other."""


class SealBroken(Exception):
    """Not sealed by us, not of this kind, or changed since."""


def seal(key: bytes, kind: Kind, content: bytes) -> str:
    """`content` under AES-256-GCM (key: 32 bytes) as URL-safe text."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, content, kind.encode())
    return base64.urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()


def unseal(key: bytes, kind: Kind, text: str) -> bytes:
    """The content. Raises SealBroken."""
    if len(text) > MOST_CHARACTERS or not _ALPHABET.fullmatch(text):
        raise SealBroken
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return AESGCM(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], kind.encode())
    except (binascii.Error, ValueError, InvalidTag) as error:
        raise SealBroken from error
