"""System calls that Python has no name for. Runs inside the jail: standard library only."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import platform
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_SECCOMP = {"x86_64": 317, "aarch64": 277}[platform.machine()]
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446

PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
_TSYNC, _NEW_LISTENER = 1, 8
_NOTIFY_RECEIVE, _NOTIFY_SEND, _NOTIFY_ADD_FD, _NOTIFY_FLAGS = 0xC0502100, 0xC0182101, 0x40182103, 0x40082104
_SAME_PROCESSOR = 1
_ADD_FD_AND_ANSWER = 2

# Highest Landlock ABI → what it can forbid: file-system bits, network bits, scope bits.
_LANDLOCK_FS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}


def _check(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _syscall(number: int, *arguments: object) -> int:
    wide = (ctypes.c_long(a) if isinstance(a, int) else a for a in arguments)
    return _check(int(_libc.syscall(ctypes.c_long(number), *wide)))


def prctl(option: int, value: int) -> None:
    """Set a process attribute; raises OSError."""
    zero = ctypes.c_ulong(0)
    _check(_libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero))


def landlock_abi() -> int:
    """Landlock ABI of this kernel; 0 when it has none."""
    try:
        return _syscall(_LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return 0


def landlock_everything() -> None:
    """Forbid the calling thread every file, TCP port, outside signal and abstract socket (no rule allows any)."""
    abi = landlock_abi()
    rights = (1 << _LANDLOCK_FS.get(abi, 16)) - 1
    ruleset = struct.pack("QQQ", rights, 3, 3)[: 24 if abi >= 6 else 16 if abi >= 4 else 8]
    descriptor = _syscall(_LANDLOCK_CREATE, ruleset, len(ruleset), 0)
    _syscall(_LANDLOCK_RESTRICT, descriptor, 0)
    os.close(descriptor)


def _install(program: bytes, flags: int) -> int:
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    instructions = ctypes.create_string_buffer(program, len(program))
    fprog = Program(len(program) // 8, ctypes.cast(instructions, ctypes.c_char_p))
    return _syscall(_SECCOMP, 1, flags, ctypes.byref(fprog))


def seccomp_allow_list(program: bytes) -> None:
    """Bind every thread of this process to a compiled filter."""
    if _install(program, _TSYNC) != 0:
        raise OSError("a thread could not be bound to the seccomp filter")


def seccomp_listener(program: bytes) -> int:
    """Bind this thread to a filter with user notification; gives the descriptor its supervisor listens on.

    From Linux 6.6 on, who asks makes way for who answers: no sleeping processor is woken for it.
    """
    listener = _install(program, _NEW_LISTENER)
    with contextlib.suppress(OSError):
        fcntl.ioctl(listener, _NOTIFY_FLAGS, struct.pack("Q", _SAME_PROCESSOR))
    return listener


class OpenRequest:
    """One `openat` call of a supervised process, stopped until it is answered."""

    def __init__(self, listener: int) -> None:
        buffer = bytearray(80)
        fcntl.ioctl(listener, _NOTIFY_RECEIVE, buffer)
        self._listener = listener
        self._id, self._thread = struct.unpack_from("QI", buffer)
        _, self._path, self.flags = struct.unpack_from("3Q", buffer, 32)

    def path(self, limit: int = 64) -> bytes:
        """The path it asks for, cut at `limit` bytes; empty when it cannot be read."""
        buffer = ctypes.create_string_buffer(limit)
        # It may end at the edge of a page that has no neighbour, or go on over it: two pieces, of which the kernel
        # gives the first alone where the second cannot be read.
        here = min(limit, 4096 - self._path % 4096)
        local = struct.pack("PN", ctypes.addressof(buffer), limit)
        # The child says where: behind the last byte of all there is no second piece.
        remote = struct.pack("PNPN", self._path, here, (self._path + here) % 2**64, limit - here)
        one, two, flags = ctypes.c_ulong(1), ctypes.c_ulong(2), ctypes.c_ulong(0)
        got = _libc.process_vm_readv(ctypes.c_int(self._thread), local, one, remote, two, flags)
        return bytes(buffer.raw[: max(got, 0)]).split(b"\0")[0]

    def give(self, descriptor: int) -> None:
        """Answer with a copy of `descriptor`, put into the asking process."""
        answer = struct.pack("QIIII", self._id, _ADD_FD_AND_ANSWER, descriptor, 0, os.O_CLOEXEC)
        fcntl.ioctl(self._listener, _NOTIFY_ADD_FD, answer)

    def refuse(self, code: int) -> None:
        """Answer with an errno."""
        fcntl.ioctl(self._listener, _NOTIFY_SEND, struct.pack("QqiI", self._id, 0, -code, 0))
