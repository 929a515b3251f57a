"""Numbers of values and of rows of values, the same in every process and version."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from catalog.cohorts import Ints

_ODD = np.uint64(0x9E3779B97F4A7C15)


def stable(value: Any) -> int:
    """A 64-bit number of a value, the same in every process and version."""
    return int.from_bytes(hashlib.blake2b(repr(value).encode(), digest_size=8).digest(), "big")


def mix(digest: Ints, values: Ints) -> Ints:
    """Fold one column's numbers into the digests (splitmix64's finaliser)."""
    with np.errstate(over="ignore"):
        x = (digest ^ values) + _ODD
        x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: Ints = x ^ (x >> np.uint64(31))
    return mixed
