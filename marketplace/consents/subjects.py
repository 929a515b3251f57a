"""What stands for a person: a pseudonym under the lineage's key, the same at publication and in the register."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Sequence

PSEUDONYM_BYTES = 16
_BLOCK_BYTES = 64
"""Of SHA-256."""


def pseudonym(key: bytes, subject: str) -> bytes:
    """HMAC-SHA-256 of the subject key (NFC, without blanks around it) under the lineage's key, first 16 bytes."""
    return hmac.digest(key, _tidied(subject).encode(), hashlib.sha256)[:PSEUDONYM_BYTES]


def pseudonyms(key: bytes, subjects: Sequence[str]) -> list[bytes]:
    """`pseudonym` of each, for millions: both pads are hashed once (RFC 2104, section 4)."""
    if len(key) > _BLOCK_BYTES:
        key = hashlib.sha256(key).digest()
    block = key.ljust(_BLOCK_BYTES, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block)).copy
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block)).copy
    found: list[bytes] = []
    keep = found.append
    for subject in _all_tidied(subjects):
        within, around = inner(), outer()
        within.update(subject)
        around.update(within.digest())
        keep(around.digest()[:PSEUDONYM_BYTES])
    return found


def _all_tidied(subjects: Sequence[str]) -> list[bytes]:
    if "".join(subjects).isascii():
        return [subject.strip().encode() for subject in subjects]
    return [_tidied(subject).encode() for subject in subjects]


def _tidied(subject: str) -> str:
    text = subject.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)
