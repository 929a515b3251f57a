"""Put the engine's code on large pages. Runs once in the warm process, before anything forbids it.

A fork does not copy what a process knows of a file's pages, so each child finds the code that it runs anew, a few
pages at a time: some 300 faults, a sixth of what a small query costs a processor. A copy on large pages is
inherited whole. Others do the same with their own code (V8's `--use-largepages`, HHVM, Intel's iodlr).
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from collections.abc import Iterator
from types import ModuleType

PAGE_BYTES = 2 * 1024 * 1024
_MAYMOVE_FIXED = 1 | 2
_LOADED, _EXECUTABLE = 1, 1
_HEADER = struct.Struct("32xQ14xHH")
"""Where the segments are described, how long a description is, how many there are."""
_SEGMENT = struct.Struct("II8xQ16xQ")
"""Kind, flags, address, bytes in memory."""
_FAILED = ctypes.c_void_p(-1).value
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = _libc.mremap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_libc.mremap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.madvise.argtypes = _libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class _Where(ctypes.Structure):
    """Of dladdr(3)."""

    _fields_ = (
        ("file", ctypes.c_char_p), ("base", ctypes.c_void_p), ("symbol", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )  # fmt: skip


def enlarge(module: ModuleType) -> int:
    """Move what fills whole large pages of the code of an extension module; gives its bytes.

    Another thread must not run it meanwhile. Where the kernel refuses, the code stays where it was; if it refuses
    the last step for want of memory, when the code is gone, this process ends.
    """
    return sum(_move(start, end) for start, end in _code(_base(module)))


def _base(module: ModuleType) -> int:
    """Where it begins. Not asked of dl_iterate_phdr: what calls back lies in a page that is writable and code."""
    loaded = ctypes.CDLL(module.__file__, mode=os.RTLD_NOW | os.RTLD_NOLOAD)
    where = _Where()
    begin = ctypes.cast(loaded[f"PyInit_{module.__name__}"], ctypes.c_void_p)
    if not _libc.dladdr(begin, ctypes.byref(where)):
        raise OSError(f"{module.__name__} is nowhere")
    return int(where.base)


def _code(base: int) -> Iterator[tuple[int, int]]:
    """Of an ELF file in memory (elf(5)): the large pages that its executable segments fill."""
    offset, size, count = _HEADER.unpack_from(ctypes.string_at(base, _HEADER.size))
    for i in range(count):
        kind, flags, address, memory_bytes = _SEGMENT.unpack_from(ctypes.string_at(base + offset + i * size, size))
        if kind == _LOADED and flags & _EXECUTABLE:
            yield _up(base + address), _down(base + address + memory_bytes)


def _move(start: int, end: int) -> int:
    size = end - start
    if size <= 0:
        return 0
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    taken = _libc.mmap(None, size + PAGE_BYTES, mmap.PROT_READ | mmap.PROT_WRITE, private, -1, 0)
    if taken == _FAILED:
        return 0
    copy = _up(taken)
    _libc.munmap(taken, copy - taken)
    _libc.munmap(copy + size, taken + PAGE_BYTES - copy)
    moved = False
    if _libc.madvise(copy, size, mmap.MADV_HUGEPAGE) == 0:
        ctypes.memmove(copy, start, size)
        # Never writable and executable at once; put in its place in one step, in which nothing is missing.
        moved = (
            _libc.mprotect(copy, size, mmap.PROT_READ | mmap.PROT_EXEC) == 0
            and _libc.mremap(copy, size, size, _MAYMOVE_FIXED, start) == start
        )
    if not moved:
        _libc.munmap(copy, size)
    return size if moved else 0


def _up(address: int) -> int:
    return -(-address // PAGE_BYTES) * PAGE_BYTES


def _down(address: int) -> int:
    return address // PAGE_BYTES * PAGE_BYTES
