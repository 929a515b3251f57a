"""Attacks that turn data into code."""

from __future__ import annotations

import ctypes
import mmap
import os

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
