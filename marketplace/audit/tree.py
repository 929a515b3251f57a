"""The Merkle tree of RFC 6962 section 2.1 (RFC 9162 the same), as pure functions over 32-byte hashes.

A node (level, index) is the hash of a complete subtree: leaves [index·2^level, (index+1)·2^level). Only those are
stored; every root and proof is folded from O(log n) of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence

Node = tuple[int, int]
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def range_nodes(start: int, end: int) -> list[Node]:
    """The complete subtrees that make up leaves [start, end), largest first; the largest divides `start`."""
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append((level, start >> level))
        start += 1 << level
    return nodes


def fold(hashes: Sequence[bytes]) -> bytes:
    """The hash over the subtrees of one range, as `range_nodes` orders them."""
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over these leaf hashes, none of which is stored."""
    level, sha256 = list(hashes), hashlib.sha256
    while len(level) > 1:
        # As node_hash, without the calls: this runs over the facts of every query.
        paired = [
            sha256(b"\x01" + left + right).digest() for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        level = paired + level[len(paired) * 2 :]
    return level[0] if level else EMPTY_ROOT


def append(frontier: list[bytes], size: int, leaves: Iterable[bytes]) -> Iterable[tuple[Node, bytes]]:
    """Add leaf hashes to a tree of `size` leaves; yields each node that becomes complete.

    `frontier` holds the hashes of range_nodes(0, size) and is changed in place.
    """
    for index, leaf in enumerate(leaves, size):
        yield (0, index), leaf
        frontier.append(leaf)
        level, position = 0, index
        while position & 1:
            right, left = frontier.pop(), frontier.pop()
            frontier.append(node_hash(left, right))
            level, position = level + 1, position >> 1
            yield (level, position), frontier[-1]


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Ranges whose hashes prove that leaf `index` is in a tree of `size`, leaf upwards. Raises ValueError."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + split(end - start)
        if index < middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start = middle
    return path[::-1]


def consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    """Ranges whose hashes prove that a tree of `second` leaves begins with that of `first`. Raises ValueError."""
    if not 0 < first <= second:
        raise ValueError("the sizes are not 0 < first <= second")
    start, end, path, whole = 0, second, [], True
    while first < end:
        middle = start + split(end - start)
        if first <= middle:
            path.append((middle, end))
            end = middle
        else:
            path.append((start, middle))
            start, whole = middle, False
    return ([] if whole else [(start, end)]) + path[::-1]


def prove(ranges: Iterable[tuple[int, int]], lookup: Callable[[Node], bytes]) -> list[bytes]:
    """The proof: one hash a range."""
    return [fold([lookup(node) for node in range_nodes(*each)]) for each in ranges]


def split(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)
