"""Jobs that tests run inside the jail: each is a way in which a worker may end."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import BinaryIO


def copy(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Copy the inputs, read by their names, to the output."""
    for i in range(len(inputs)):
        output.write(Path(f"/fd/{i}.csv").read_bytes())
    return payload.upper()


def copy_named(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Copy as many inputs as the payload says: more than come as descriptors."""
    return copy(b"", list(range(int(payload))), output)


def spin(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Never end."""
    while True:
        time.perf_counter()


def fill_memory(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Hold more and more memory, in steps that each succeed."""
    kept = []
    while True:
        kept.append(b"x" * (8 << 20))


def write_forever(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Write without end."""
    while True:
        output.write(b"x" * 65_536)


def fail(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Raise with a secret in the text."""
    raise ValueError(payload.decode())


def die(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """End without a word."""
    os._exit(3)


def one_large_piece(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Ask for more address space at once than there can be memory."""
    return b"%d" % len(bytearray(64 << 30))
