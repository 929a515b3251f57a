"""Runs in a jail of tests: a job that tells what its child did before, and what it holds."""

from __future__ import annotations

import os
from typing import BinaryIO

REHEARSAL = b"for nobody"
_done: list[bytes] = []


def run(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Every payload so far, and how many descriptors are open."""
    _done.append(payload)
    output.write(payload)
    held = 0
    for descriptor in range(100):
        try:
            os.fstat(descriptor)
        except OSError:
            continue
        held += 1
    return b"|".join([*_done, str(held).encode()])
