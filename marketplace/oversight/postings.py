"""Which leaves of a block hold a term: a set of offsets as bytes, and as an integer whose bits are the offsets.

A block is 1,024 leaves in the order of the log. Few offsets are written one by one, many as a bitmap of 128 bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

BLOCK_EVENTS = 1024
EVERY = (1 << BLOCK_EVENTS) - 1
"""All leaves of a block."""
_BITMAP_BYTES = BLOCK_EVENTS // 8


def encode(offsets: Iterable[int]) -> bytes:
    """Two bytes an offset, or the whole bitmap where that is no longer."""
    listed = sorted(offsets)
    if len(listed) * 2 < _BITMAP_BYTES:
        return struct.pack(f"<{len(listed)}H", *listed)
    return sum(1 << offset for offset in listed).to_bytes(_BITMAP_BYTES, "little")


def decode(data: bytes) -> int:
    """The bits of what `encode` wrote."""
    if len(data) == _BITMAP_BYTES:
        return int.from_bytes(data, "little")
    bits = 0
    for (offset,) in struct.iter_unpack("<H", data):
        bits |= 1 << offset
    return bits


def newest_first(bits: int) -> Iterator[int]:
    """The offsets, the largest first."""
    while bits:
        top = bits.bit_length() - 1
        yield top
        bits ^= 1 << top
