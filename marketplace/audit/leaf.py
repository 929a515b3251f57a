"""What a leaf says to the public: two hashes, of which nobody without their secrets learns anything.

`c` commits to the event, `l` links it to the leaf before it of the same dataset. A dataset's links are keyed with
a secret of that dataset: who has it (owner, regulator) can recompute each of them, find the next one among all
leaves if there is one, and so knows that none was left out. To all others no two leaves look related.
"""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import msgspec

from marketplace.audit.canonical import exact

CHAIN = b"sandulieu chain/1\n"
"""Begins what a chain's key is derived from: keys are handed out, so nothing else may come of the same bytes."""


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """c: commitment (hex); l: link (hex). Fields stand in the order of canonical JSON."""

    c: str
    l: str


class Place(msgspec.Struct, frozen=True):
    """Where a leaf stands in its chain. n: counter from 0; p: index of the leaf before it, None for the first."""

    n: int
    p: int | None


ALONE = Place(0, None)
"""The place of an event that counts for no dataset, in a chain of its own under the event's id."""


def chain_key(salt_key: bytes, chain_id: UUID) -> bytes:
    """HMAC-SHA-256 (32 bytes) of a dataset's id, else of the event's own, under the log's salt key."""
    return hmac.digest(salt_key, CHAIN + chain_id.bytes, hashlib.sha256)


def link(key: bytes, place: Place) -> str:
    """HMAC-SHA-256 (hex) of the place's canonical JSON under its chain's key."""
    return hmac.digest(key, exact(place), hashlib.sha256).hex()


def leaf_data(leaf: Leaf) -> bytes:
    """Canonical JSON: what the leaf hash is over."""
    return exact(leaf)


def read_leaf(data: bytes | str) -> Leaf:
    """The leaf behind its data. Raises ValueError when the data is not exactly its canonical JSON."""
    raw = data.encode() if isinstance(data, str) else data
    leaf = msgspec.json.decode(raw, type=Leaf)
    if leaf_data(leaf) != raw:
        raise ValueError("the leaf is not in canonical form")
    return leaf
