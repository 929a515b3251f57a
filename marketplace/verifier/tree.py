"""The Merkle tree of RFC 6962 (RFC 9162 the same): roots, and what proofs prove."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, or over the roots of subtrees of one size, of which the last may be smaller."""
    level, sha256 = list(hashes), hashlib.sha256
    while len(level) > 1:
        pairs = [
            sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = pairs + level[len(pairs) * 2 :]
    return level[0] if level else EMPTY_ROOT


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """That the leaf hash is in the tree, by a proof as in RFC 9162 section 2.1.3."""
    if not 0 <= index < size:
        return False
    lies_right = []  # from the root down
    while size > 1:
        middle = split(size)
        lies_right.append(index >= middle)
        index, size = (index - middle, size - middle) if index >= middle else (index, middle)
    if len(proof) != len(lies_right):
        return False
    for right, each in zip(reversed(lies_right), proof, strict=True):
        leaf = node_hash(each, leaf) if right else node_hash(leaf, each)
    return leaf == root


def verify_consistency(
    first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> bool:
    """RFC 9162 section 2.1.4; also that a tree is consistent with itself and with the empty one."""
    if first == 0:
        return not proof and first_root == EMPTY_ROOT and (second > 0 or second_root == EMPTY_ROOT)
    if not 0 < first <= second:
        return False
    left = list(proof)
    try:
        roots = _both_roots(first, second, left, first_root, whole=True)
    except IndexError:
        return False
    return not left and roots == (first_root, second_root)


def _both_roots(first: int, second: int, proof: list[bytes], old: bytes, *, whole: bool) -> tuple[bytes, bytes]:
    """Roots of the older and the newer tree. `whole`: the older is a subtree of the newer, and `old` its root."""
    if first == second:
        known = old if whole else proof.pop(0)
        return known, known
    middle = split(second)
    if first <= middle:
        older, newer = _both_roots(first, middle, proof, old, whole=whole)
        return older, node_hash(newer, proof.pop(0))
    older, newer = _both_roots(first - middle, second - middle, proof, old, whole=False)
    sibling = proof.pop(0)
    return node_hash(sibling, older), node_hash(sibling, newer)


def split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
