"""What stands for a person: a pseudonym under the lineage's key, the same at publication and in the register."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

PSEUDONYM_BYTES = 16


def pseudonym(key: bytes, subject: str) -> bytes:
    """HMAC-SHA-256 of the subject key (NFC, without blanks around it) under the lineage's key, first 16 bytes."""
    text = subject.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    return hmac.digest(key, text.encode(), hashlib.sha256)[:PSEUDONYM_BYTES]
