"""Attacks that turn data into code."""

from __future__ import annotations

import ctypes
import mmap
import os

from .raw import call

_libc = ctypes.CDLL(None, use_errno=True)


def writable_and_executable() -> object:
    return mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC)


def executable() -> object:
    return mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC)


def made_executable_later() -> object:
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    if _libc.mprotect(ctypes.c_void_p(address), 4096, mmap.PROT_READ | mmap.PROT_EXEC) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return address


def shared_and_writable() -> object:
    return mmap.mmap(-1, 4096, flags=mmap.MAP_SHARED)


def page_at_zero() -> object:
    """Where a kernel that follows a null pointer would land."""
    return call("mmap", 0, 4096, 3, 0x32 | 0x100000, -1, 0)


def stack_that_grows() -> object:
    return call("mmap", 0, 4096, 3, 0x22 | 0x100, -1, 0)


def huge_pages() -> object:
    return call("mmap", 0, 2 << 20, 3, 0x22 | 0x40000, -1, 0)


def locked_in_memory() -> object:
    return call("mmap", 0, 4096, 3, 0x22 | 0x2000, -1, 0)


def lock_memory() -> object:
    return call("mlock", ctypes.create_string_buffer(16).raw, 16)


def protection_keys() -> object:
    return call("pkey_mprotect", 0, 4096, 4, -1)


def pages_in_another_order() -> object:
    return call("remap_file_pages", 0, 4096, 0, 0, 0)


def moved_and_left_behind() -> object:
    return call("mremap", 0, 4096, 4096, 4 | 1, 0)


def poisoned() -> object:
    return call("madvise", 0, 4096, 100)


def merged_with_others() -> object:
    """Pages merged with equal ones of other processes tell, by time, what those hold."""
    return call("madvise", 0, 4096, 12)
