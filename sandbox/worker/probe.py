"""Run in a real child before a pool opens: tries what every layer must stop, and says what went through."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
from collections.abc import Callable
from typing import BinaryIO

import msgspec

_libc = ctypes.CDLL(None, use_errno=True)


def attempt(payload: bytes, inputs: list[int], output: BinaryIO) -> bytes:
    """Give the names of the attempts that were not stopped, as msgpack."""
    return msgspec.msgpack.encode([name for name, act in _ATTEMPTS.items() if _goes_through(act)])


def _goes_through(act: Callable[[], object]) -> bool:
    try:
        act()
    except OSError:
        return False
    return True


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _write() -> None:
    os.close(os.open("/fd/probe", os.O_CREAT | os.O_WRONLY))


def _unshare() -> None:
    if _libc.unshare(0x10000000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


_ATTEMPTS: dict[str, Callable[[], object]] = {
    "open a network socket": lambda: socket.socket(socket.AF_INET),
    "open a local socket": lambda: socket.socket(socket.AF_UNIX),
    "open a socket to the virtual machine's host": lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
    "read a file": lambda: os.open("/py/bin", os.O_RDONLY),
    "write a file": _write,
    "start a process": _fork,
    "run a program": lambda: os.execv("/py/bin/python3", ["python3"]),  # noqa: S606
    "signal the warm process": lambda: os.kill(1, signal.SIGTERM),
    "make executable memory": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_WRITE | mmap.PROT_EXEC),
    "make a file in memory": lambda: os.memfd_create("probe"),
    "enter a new user namespace": _unshare,
}
