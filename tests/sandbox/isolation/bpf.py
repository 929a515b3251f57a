"""A small interpreter of seccomp programs, so that one of another machine can be tried here: classic BPF as of
linux/filter.h, with the loads that the kernel lets a seccomp program make."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "i386": 0x40000003, "arm": 0x40000028}
ALLOW, KILL_PROCESS, NOTIFY = 0x7FFF0000, 0x80000000, 0x7FC00000
_LOAD_WORD, _JUMP, _RETURN, _AND = 0x20, 0x05, 0x06, 0x54
_COMPARE: dict[int, Callable[[int, int], bool]] = {
    0x15: lambda a, k: a == k,
    0x25: lambda a, k: a > k,
    0x35: lambda a, k: a >= k,
    0x45: lambda a, k: bool(a & k),
}


def refusal(errno: int) -> int:
    """What a program answers to have the kernel give this errno."""
    return 0x00050000 | errno


def instructions(program: bytes) -> list[tuple[int, int, int, int]]:
    return list(struct.iter_unpack("<HBBI", program))


def answer(
    program: Sequence[tuple[int, int, int, int]], architecture: int, number: int, arguments: Sequence[int] = ()
) -> int:
    """What the kernel would be told about this call."""
    six = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *six)
    accumulator, at = 0, 0
    while True:
        code, jump_true, jump_false, k = program[at]
        at += 1
        if code == _LOAD_WORD:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif code == _AND:
            accumulator &= k
        elif code == _JUMP:
            at += k
        elif code == _RETURN:
            return k
        else:
            at += jump_true if _COMPARE[code](accumulator, k) else jump_false
