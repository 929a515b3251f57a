"""Answers at rest: AES-256-GCM in chunks under a key for each answer, so that any part opens without the rest.

A chunk's nonce is its number (a key seals one answer, once); its additional data say whose it is and whether it is
the last, so that none can be moved, left out or taken from another answer unseen (the STREAM construction,
Hoang, Reyhanitabar, Rogaway, Vizár 2015).
"""

from __future__ import annotations

import secrets
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK_BYTES = 64 * 1024
"""Of the answer; at rest a chunk is TAG_BYTES longer."""
TAG_BYTES = 16
KEY_BYTES = 32
_NONCE_BYTES = 12


class ChunkBroken(Exception):
    """Not what was sealed at this place, or sealed under another key."""


class Chunks:
    """The chunks of one answer. `key`: 32 bytes, for this answer alone."""

    def __init__(self, key: bytes, query_id: UUID) -> None:
        self._cipher = AESGCM(key)
        self._query_id = query_id

    def seal(self, index: int, data: bytes, *, last: bool) -> bytes:
        """At most CHUNK_BYTES of the answer, for rest; all but the last are full."""
        assert 0 < len(data) <= CHUNK_BYTES
        assert last or len(data) == CHUNK_BYTES
        return self._cipher.encrypt(_nonce(index), data, self._bound_to(last))

    def open(self, index: int, sealed: bytes, *, last: bool) -> bytes:
        """What was sealed as this chunk. Raises ChunkBroken."""
        try:
            return self._cipher.decrypt(_nonce(index), sealed, self._bound_to(last))
        except (InvalidTag, ValueError) as wrong:
            raise ChunkBroken(index) from wrong

    def _bound_to(self, last: bool) -> bytes:
        return self._query_id.bytes + bytes([last])


def count_of(size_bytes: int) -> int:
    """How many chunks an answer of that size has."""
    return -(-size_bytes // CHUNK_BYTES)


def wrap(home_key: bytes, query_id: UUID, key: bytes) -> bytes:
    """The answer's key as the database holds it: of no use without the home's key."""
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(home_key).encrypt(nonce, key, query_id.bytes)


def unwrap(home_key: bytes, query_id: UUID, wrapped: bytes) -> bytes:
    """The answer's key again. Raises ChunkBroken."""
    try:
        return AESGCM(home_key).decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], query_id.bytes)
    except (InvalidTag, ValueError) as wrong:
        raise ChunkBroken("key") from wrong


def _nonce(index: int) -> bytes:
    return index.to_bytes(_NONCE_BYTES, "big")
