"""A fresh jail for one job on an owner's file: nothing is warm, nothing is kept (invariant 8)."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import os
from collections.abc import Callable, Sequence
from typing import BinaryIO, Generic, TypeVar, cast

from msgspec import Struct

from sandbox.isolation.jail import Jail, JailLost, Outcome
from sandbox.isolation.outcome import require_done, usage
from sandbox.isolation.runtime import Bind
from sandbox.isolation.start import Shape, open_jail
from sandbox.job import SandboxFailed, Usage

T = TypeVar("T")
_READ_BYTES = 1024 * 1024


class OneShot(Struct, Generic[T], frozen=True, kw_only=True):
    """What a job gave: `value` of the consumer, `reply` of the job's function (at most 1 MiB)."""

    value: T
    reply: bytes
    usage: Usage


def run_once(
    entry: str,
    payload: bytes,
    inputs: Sequence[int],
    *,
    consume: Callable[[BinaryIO], T],
    deadline_ms: int,
    memory_bytes: int,
    max_output_bytes: int,
    threads: int = 2,
    extra: tuple[Bind, ...] = (),
) -> OneShot[T]:
    """Run `entry` ("module:function", called as f(payload, inputs, output) -> reply) in a jail of its own.

    Blocking: call it in a thread. `consume` reads the job's output here while the job runs and sees its end when
    the job ends, for whatever reason. In the jail input i can also be opened as /fd/<i>.<extension>. The module of
    `entry` must import all it needs when it is imported: afterwards no file can be opened.
    Raises SandboxFailed, or what `consume` raises if the job itself did not fail.
    """
    shape = Shape(entry=entry, threads=threads, memory_bytes=memory_bytes, single=True, extra=extra)
    limits = {"deadline_ms": deadline_ms, "memory_bytes": memory_bytes, "max_bytes": max_output_bytes}
    return asyncio.run(_run(shape, payload, inputs, consume, limits))


class _Output(io.RawIOBase):
    """The reading end of the job's pipe; remembers how much came, whether it was too much, whether it ended."""

    def __init__(self, descriptor: int, limit: int) -> None:
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        self.limit = limit
        self.read_bytes = 0
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read some bytes; OSError once the limit is passed."""
        got = self._file.readinto(buffer) or 0
        self.read_bytes += got
        self.ended = got == 0
        if self.read_bytes > self.limit:
            raise OSError("the job wrote more than its limit")
        return got

    def close(self) -> None:
        self._file.close()
        super().close()


def _wide_pipe() -> tuple[int, int]:
    """Each end sleeps and wakes a sixteenth as often as with the 64 KiB of an ordinary one."""
    reader, writer = os.pipe()
    with contextlib.suppress(OSError):  # an account's pipes may have had their share
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _READ_BYTES)
    return reader, writer


async def _run(
    shape: Shape, payload: bytes, inputs: Sequence[int], consume: Callable[[BinaryIO], T], limits: dict[str, int]
) -> OneShot[T]:
    try:
        jail = await open_jail(shape)
    except (JailLost, MemoryError, RuntimeError) as lost:  # no memory, no thread or no libseccomp for one
        raise SandboxFailed("sandbox.unavailable", entered=False) from lost
    reader, writer = _wide_pipe()
    output = _Output(reader, limits["max_bytes"])
    try:
        running = asyncio.create_task(_job(jail, payload, writer, inputs, limits))
        value = await _consumed(output, consume, jail, running, limits)
        outcome = await running
    except JailLost as lost:
        raise SandboxFailed("sandbox.unavailable", entered=False) from lost
    finally:
        output.close()
        jail.close()
    require_done(outcome, limits)
    return OneShot(value=value, reply=outcome.body, usage=usage(outcome, output.read_bytes))


async def _job(jail: Jail, payload: bytes, writer: int, inputs: Sequence[int], limits: dict[str, int]) -> Outcome:
    running = asyncio.create_task(
        jail.run(
            payload,
            output=writer,
            inputs=inputs,
            deadline_ms=limits["deadline_ms"],
            memory_bytes=limits["memory_bytes"],
        )
    )
    # Once the job has its copy, the reader must see the end when that copy is closed.
    await asyncio.sleep(0)
    os.close(writer)
    outcome = await running
    # Only its end closes the output, for which the consumer waits.
    jail.kill_running()
    return outcome


async def _consumed(
    output: _Output,
    consume: Callable[[BinaryIO], T],
    jail: Jail,
    running: asyncio.Task[Outcome],
    limits: dict[str, int],
) -> T:
    def read() -> T:
        buffered = io.BufferedReader(cast(io.RawIOBase, output), _READ_BYTES)
        value = consume(cast(BinaryIO, buffered))
        while buffered.read(_READ_BYTES):
            pass
        return value

    try:
        return await asyncio.to_thread(read)
    except BaseException:
        # If the output had ended the job may have failed first, and that is then the cause.
        if not output.ended:
            jail.kill()
        outcome = await running
        if output.read_bytes > output.limit:
            told = {"max_bytes": output.limit}
            raise SandboxFailed("sandbox.too_many_bytes", entered=True, params=told) from None
        if output.ended:
            require_done(outcome, limits)
        raise
