"""Texts composed (NFC), at the cost of a look where they are already, as nearly all are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from pyarrow import compute

from catalog.cohorts import Ints


def composed(texts: pa.Array) -> pa.Array:
    """The same texts in NFC."""
    return texts if _is_composed(texts) else compute.utf8_normalize(texts, "NFC")


def _is_composed(texts: pa.Array) -> bool:
    """Whether all is Latin of letters that are one character each, as Vietnamese mostly is: much sooner told than
    composed. Letters to U+024F, and U+1E00 to U+1EFF."""
    body = bytes_of(texts)
    if not (body < 0x80).all():
        three = np.flatnonzero(body == 0xE1)
        following = body[np.minimum(three + 1, len(body) - 1)]
        return bool(_COMPOSED[body].all() and ((following >= 0xB8) & (following <= 0xBB)).all())
    return True


_COMPOSED = np.array([b < 0xCA or b == 0xE1 for b in range(256)])
"""UTF-8: plain letters, continuations, what begins U+0080 to U+024F; U+1E00 is told by the byte after 0xE1."""


def bytes_of(texts: pa.Array) -> Ints:
    """All their UTF-8, one behind the other."""
    body = texts.buffers()[2]
    if body is None:
        return np.empty(0, dtype=np.uint8)
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)
    begin, end = offsets[texts.offset], offsets[texts.offset + len(texts)]
    return np.frombuffer(body, dtype=np.uint8)[begin:end]
