"""Runs inside a jail as a compromised worker would: reads all that it can and carries it out."""

from __future__ import annotations

import os
from typing import BinaryIO


def main(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Write every byte of every descriptor that can be read; reply with their numbers."""
    readable = []
    for descriptor in range(3, 256):
        if descriptor == output.fileno():
            continue
        try:
            content = os.pread(descriptor, 1 << 28, 0)
        except OSError:
            continue
        readable.append(descriptor)
        output.write(len(content).to_bytes(8, "big") + content)
    return ",".join(map(str, readable)).encode()
