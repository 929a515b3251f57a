"""Put the engine's code on large pages. Runs once in the warm process, before anything forbids it.

A fork does not copy what a process knows of a file's pages, so each child finds the code that it runs anew, a few
pages at a time: some 300 faults, a sixth of what a small query costs a processor. A copy on large pages is
inherited whole. Others do the same with their own code (V8's `--use-largepages`, HHVM, Intel's iodlr).
"""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable

PAGE_BYTES = 2 * 1024 * 1024
_MAYMOVE_FIXED = 1 | 2
_LOADED, _EXECUTABLE = 1, 1
_FAILED = ctypes.c_void_p(-1).value
_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = _libc.mremap.restype = ctypes.c_void_p
_libc.mmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
_libc.mremap.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_int, ctypes.c_void_p)
_libc.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_libc.madvise.argtypes = _libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class _Segment(ctypes.Structure):
    _fields_ = (
        ("kind", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("offset", ctypes.c_uint64),
        ("address", ctypes.c_uint64), ("physical", ctypes.c_uint64), ("file_bytes", ctypes.c_uint64),
        ("memory_bytes", ctypes.c_uint64), ("alignment", ctypes.c_uint64),
    )  # fmt: skip


class _Library(ctypes.Structure):
    _fields_ = (
        ("base", ctypes.c_uint64), ("name", ctypes.c_char_p), ("segments", ctypes.POINTER(_Segment)),
        ("count", ctypes.c_uint16),
    )  # fmt: skip


_Visit = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Library), ctypes.c_size_t, ctypes.c_void_p)


def enlarge(part_of_name: bytes) -> int:
    """Move what fills whole large pages of the code of the libraries with this in their path; gives its bytes.

    Another thread must not run it meanwhile. Where the kernel refuses a step, the code stays where it was.
    """
    return sum(_move(start, end) for start, end in _code(part_of_name))


def _code(part_of_name: bytes) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []

    def visit(library: ctypes._Pointer[_Library], _size: int, _data: object) -> int:
        one = library.contents
        if one.name and part_of_name in one.name:
            for segment in one.segments[: one.count]:
                if segment.kind == _LOADED and segment.flags & _EXECUTABLE:
                    start = one.base + segment.address
                    found.append((_up(start), _down(start + segment.memory_bytes)))
        return 0

    walk: Callable[[object, None], int] = _libc.dl_iterate_phdr
    walk(_Visit(visit), None)
    return found


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
