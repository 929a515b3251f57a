"""One jail as the broker holds it: its process, its control socket, the child that waits in it for a job."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import subprocess
import time
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from sandbox.isolation.cgroup import Cgroup
from sandbox.isolation.listening import NotTaken, exactly, first, readable
from sandbox.isolation.meter import Meter
from sandbox.isolation.waiting import Child, Gone, NoChild, accept, close_all
from sandbox.isolation.watchdog import watch
from sandbox.worker.wire import DESCRIPTORS, MESSAGE_BYTES, Ended, Files, Job, Ready, Reply

_PREPARE_TIMEOUT_S = 120.0
"""Four seconds of processor import Great Expectations: more than thirty by the clock of a busy machine."""
BASE_MEMORY_BYTES = 192 * 1024 * 1024
"""What the warm process itself needs beside a job's memory."""
_CHILDREN = 2
"""That are waited for, and that are given a job: one that ends before it has read it costs nobody anything."""
_EVENT = msgspec.msgpack.Decoder(Ready | Ended)


class JailLost(Exception):
    """The jail is gone or does not speak as it must; the text is for the operator's log only."""


class Outcome(Struct, frozen=True, kw_only=True):
    """How a job ended, as the broker saw it; `reply` and `body` are the child's words, None if it sent none."""

    reply: Reply | None
    body: bytes
    wall_us: int
    cpu_us: int
    peak_memory_bytes: int
    late: bool
    out_of_memory: bool


class Jail:
    """Made by `start.open_jail`. One job at a time; after each, `prepare` waits for the next child."""

    def __init__(self, process: subprocess.Popen[bytes], control: socket.socket, group: Cgroup | None,
                 memory_bytes: int, errors: int) -> None:  # fmt: skip
        self._process = process
        self._control = control
        self.group = group
        self._errors = errors
        self._kills = 0
        self._memory_bytes = self._most_memory_bytes = memory_bytes
        self._waiting: Child | None = None
        self._running: Child | None = None
        self._unwanted = self._told = False
        self._ended_by_us = False
        self._last_status = 0

    async def prepare(self) -> None:
        """End the last child and wait until another waits for a job, if none does; raises JailLost."""
        self.kill_running()
        if self._ended_by_us:
            # Its last words may lie there still, and a child that dies with it.
            raise JailLost("ended")
        if self._waiting is not None:
            return
        for _ in range(_CHILDREN):
            # Ended by nobody's query before anybody looked: the next one is on its way.
            with contextlib.suppress(Gone):
                self._waiting = await self._announced()
                self._unwanted = self._told = False
                return
        self.end()
        raise JailLost(f"children end ({self._last_status}) before they are taken: {self._last_words()}")

    def rehearse(self) -> None:
        """Have the child that waits do ahead what its query will need: there is time for it."""
        if self._waiting is not None and not self._told:
            self._told = True
            self._waiting.rehearse()

    async def _announced(self) -> Child:
        """The next child that the warm process tells of, its predecessor's end perhaps before it."""
        try:
            async with asyncio.timeout(_PREPARE_TIMEOUT_S):
                event, descriptors = await self._event()
                if isinstance(event, Ended):
                    self._last_status = event.status
                    close_all(descriptors)
                    event, descriptors = await self._event()
        except TimeoutError as error:
            raise JailLost("no child in time") from error
        if not isinstance(event, Ready):
            close_all(descriptors)
            raise JailLost(f"no child: {self._last_words()}")
        try:
            return accept(descriptors, event.pid)
        except NoChild as error:
            raise JailLost(f"{error}: {self._last_words()}") from error

    async def run(
        self, payload: bytes, *, output: int, inputs: Sequence[int], deadline_ms: int, memory_bytes: int
    ) -> Outcome:
        """Give the waiting child its job; gives how it ended, at the latest at the deadline.

        Not to be cancelled: `kill` ends it. A child that has replied lives on until `prepare` or `kill_running`:
        to end it takes longer than a small query, and nobody need wait for that. Raises JailLost if no child took
        the job, so that nothing was done with what it may read.
        """
        for _ in range(_CHILDREN):
            try:
                return await self._given(payload, output, inputs, deadline_ms, memory_bytes)
            except NotTaken:
                await self.prepare()
        # No accident. With a new warm process whoever brings it about begins anew, and pays anew.
        self.end()
        raise JailLost("children end before they take their job")

    async def _given(
        self, payload: bytes, output: int, inputs: Sequence[int], deadline_ms: int, memory_bytes: int
    ) -> Outcome:
        child = await self._take()
        self._bound(memory_bytes)
        loop = asyncio.get_running_loop()
        meter, exceeded, started = Meter(child.pidfd), asyncio.Event(), time.perf_counter_ns()
        deadline = loop.call_later(deadline_ms / 1_000, child.kill)
        # As much as a group would let it hold: what it shares with the warm process is counted as its own.
        most_bytes = memory_bytes + BASE_MEMORY_BYTES
        guard = None if self.group else asyncio.create_task(watch(meter, most_bytes, child.kill, exceeded))
        try:
            reply, body = await self._exchange(child, payload, output, inputs)
            cpu_us, peak_bytes = meter.cpu_us(), meter.peak_memory_bytes()
            if reply is None:
                # Not closed yet: the deadline and the watchdog may still reach for it.
                child.kill()
            ended = None if reply else await self._ended()
        except NotTaken:
            self.kill_running()
            raise
        finally:
            deadline.cancel()
            if guard is not None:
                guard.cancel()
        return Outcome(
            reply=reply,
            body=body,
            wall_us=(time.perf_counter_ns() - started) // 1_000,
            cpu_us=ended.cpu_us if ended else cpu_us,
            peak_memory_bytes=ended.peak_memory_bytes if ended else peak_bytes,
            late=deadline.when() <= loop.time(),
            out_of_memory=exceeded.is_set() or (reply is None and self._was_out_of_memory()),
        )

    async def _take(self) -> Child:
        """The child that waits is the one that runs; the next, if it was killed meanwhile by nobody's query."""
        if self._waiting is not None and self._waiting.ended and not self._unwanted:
            self._waiting.close()
            self._waiting = None
            await self.prepare()
        child = self._waiting
        if child is None:
            raise JailLost("no child is waiting")
        self._waiting, self._running = None, child
        return child

    def _was_out_of_memory(self) -> bool:
        if self.group is None:
            return False
        before, self._kills = self._kills, self.group.out_of_memory_kills()
        return self._kills > before

    def _bound(self, memory_bytes: int) -> None:
        wanted = min(memory_bytes, self._most_memory_bytes)
        if self.group is not None and wanted != self._memory_bytes:
            self.group.limit_memory(wanted + BASE_MEMORY_BYTES)
            self._memory_bytes = wanted

    def kill(self) -> None:
        """Kill the child, not the jail; a job on its way to it then reaches nobody."""
        self._unwanted = True
        for child in (self._waiting, self._running):
            if child is not None:
                child.kill()

    def kill_running(self) -> None:
        """Kill the child that has had its job, and forget it."""
        if self._running is not None:
            self._running.kill()
            self._running.close()
            self._running = None

    def end(self) -> None:
        """Kill everything in the jail; what runs in it ends with no reply."""
        self._ended_by_us = True
        self._process.kill()

    def close(self) -> None:
        """End the jail, whose `run` must have returned, and give back all it held. Blocks some milliseconds."""
        self.kill_running()
        self.end()
        self._process.wait()
        self._control.close()
        if self._waiting is not None:
            self._waiting.close()
            self._waiting = None
        os.close(self._errors)
        if self.group is not None:
            self.group.remove()

    @property
    def alive(self) -> bool:
        """Whether its processes are still there."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Process id, on the outside, of the jail's bwrap; killing it ends the jail."""
        return self._process.pid

    async def _exchange(
        self, child: Child, payload: bytes, output: int, inputs: Sequence[int]
    ) -> tuple[Reply | None, bytes]:
        try:
            await self._hand_over(child, payload, output, inputs)
            size = struct.unpack("<I", await first(child.socket, 4))[0]
            if size > MESSAGE_BYTES:
                return None, b""
            reply = msgspec.msgpack.decode(await exactly(child.socket, size), type=Reply)
            return reply, await exactly(child.socket, reply.body_bytes)
        except NotTaken:
            # Of one that we ended ourselves nobody may know whether it had begun.
            if self._unwanted:
                return None, b""
            raise
        except (OSError, EOFError, msgspec.DecodeError):
            return None, b""

    async def _hand_over(self, child: Child, payload: bytes, output: int, inputs: Sequence[int]) -> None:
        try:
            for start in range(0, len(inputs), DESCRIPTORS):
                part = list(inputs[start : start + DESCRIPTORS])
                files = msgspec.msgpack.encode(Files(pid=child.pid, count=len(part)))
                socket.send_fds(self._control, [files], part)
            passed = [output, *inputs[: DESCRIPTORS - 1]]
            head = msgspec.msgpack.encode(Job(payload_bytes=len(payload), inputs=len(inputs)))
            socket.send_fds(child.socket, [struct.pack("<I", len(head)) + head], passed)
            await asyncio.get_running_loop().sock_sendall(child.socket, payload)
        except OSError as error:
            raise NotTaken from error

    async def _ended(self) -> Ended | None:
        try:
            async with asyncio.timeout(_PREPARE_TIMEOUT_S):
                event, descriptors = await self._event()
        except (JailLost, TimeoutError):
            return None
        close_all(descriptors)
        return event if isinstance(event, Ended) else None

    async def _event(self) -> tuple[Ready | Ended, list[int]]:
        await readable(self._control)
        descriptors: list[int] = []
        try:
            message, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 2)
            return _EVENT.decode(message), descriptors
        except (OSError, msgspec.DecodeError) as error:
            close_all(descriptors)
            raise JailLost(f"{error}: {self._last_words()}") from error

    def _last_words(self) -> str:
        return os.pread(self._errors, 2_000, max(0, os.fstat(self._errors).st_size - 2_000)).decode(
            errors="replace"
        )
