"""Attacks on what all share: processor, memory, threads, descriptors, room for the answer."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from typing import BinaryIO

from . import answers


def spin(output: BinaryIO) -> bytes:
    while True:
        time.perf_counter()


def spin_in_every_thread(output: BinaryIO) -> bytes:
    for _ in range(3):
        threading.Thread(target=spin, args=(output,), daemon=True).start()
    return spin(output)


def sleep(output: BinaryIO) -> bytes:
    while True:
        time.sleep(10)


def fill_memory(output: BinaryIO) -> bytes:
    kept = []
    while True:
        kept.append(b"x" * (4 << 20))


def hold_more_than_allowed(output: BinaryIO) -> bytes:
    """Twice the limit of these tests' jails, which is more than their base may add; says so if it lives."""
    held = b"x" * (512 << 20)
    time.sleep(0.2)
    return answers.cell(output, f"held {len(held)}")


def fill_the_answer(output: BinaryIO) -> bytes:
    """Write until the kernel refuses, then say how far it got."""
    written = 0
    try:
        while True:
            written += os.write(output.fileno(), bytes(1 << 16))
    except OSError:
        os.lseek(output.fileno(), 0, os.SEEK_SET)
        return answers.cell(output, str(written))


def grow_the_answer(output: BinaryIO) -> bytes:
    try:
        os.ftruncate(output.fileno(), 1 << 40)
    except OSError as error:
        return answers.cell(output, str(error.errno))
    return answers.cell(output, "grown")


def threads(output: BinaryIO) -> bytes:
    started = 0
    threading.stack_size(65_536)
    try:
        while started < 10_000:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
            started += 1
    except RuntimeError:
        pass
    return answers.cell(output, str(started))


def descriptors(output: BinaryIO) -> bytes:
    opened = 0
    try:
        while opened < 100_000:
            os.dup(output.fileno())
            opened += 1
    except OSError:
        pass
    return answers.cell(output, str(opened))


def crash(output: BinaryIO) -> bytes:
    return ctypes.string_at(1)


def call_by_x32_number(output: BinaryIO) -> bytes:
    """The same machine's other numbers: a list of names that forgets them lets all of them through."""
    ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))
    return answers.cell(output, "lived")


def deep_recursion(output: BinaryIO) -> bytes:
    sys.setrecursionlimit(1 << 30)
    return deep_recursion(output)


def end_silently(output: BinaryIO) -> bytes:
    os._exit(0)
