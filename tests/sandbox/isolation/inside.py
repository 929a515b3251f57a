"""Jobs that tests run inside the jail: each is a way in which a worker may end."""

from __future__ import annotations

import ctypes
import mmap
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


def open_over_edges(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Open the first input by a name that begins near the end of a page; the last page has no neighbour."""
    size, name = mmap.PAGESIZE, b"/fd/0.csv\0"
    pages = mmap.mmap(-1, 3 * size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    begin = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.munmap(ctypes.c_void_p(begin + 2 * size), ctypes.c_size_t(size))
    opened = []
    for edge, before in [*((size, n) for n in range(len(name) + 2)), (2 * size, len(name))]:
        pages[edge - before : edge - before + len(name)] = name
        file = libc.open(ctypes.c_void_p(begin + edge - before), os.O_RDONLY)
        opened.append(file >= 0 and os.read(file, 99) == b"here")
    return bytes(opened)


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
