"""What a leaf says to the public: a salted commitment, a salted name of the dataset, a counter without gaps."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import msgspec

from marketplace.audit.canonical import exact


class Leaf(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """c: commitment (hex); d: the dataset's tag (hex), n: its counter from 0; both None without a dataset.

    Fields stand in the order of canonical JSON."""

    c: str
    d: str | None
    n: int | None


def dataset_tag(salt_key: bytes, dataset_id: UUID) -> str:
    """HMAC-SHA-256 (hex) of the dataset's id under the log's salt key: counted by all, named by none."""
    return hmac.digest(salt_key, dataset_id.bytes, hashlib.sha256).hex()


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
