"""The pool of warm jails: one query at a time in each, a single-use child a query, a bounded queue in front."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import io
import logging
import mmap
import os
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from sandbox.isolation import layers
from sandbox.isolation.answer import Sink, copy_answer
from sandbox.isolation.jail import Jail, JailLost, Outcome
from sandbox.isolation.outcome import require_done, usage
from sandbox.isolation.probe import prove
from sandbox.isolation.runtime import Bind
from sandbox.isolation.start import Shape, open_jail
from sandbox.job import Limits, OutputColumn, Result, SandboxFailed
from sandbox.worker.wire import Query

_log = logging.getLogger(__name__)
_ENTRY = "sandbox.worker.query:answer"
_FRAMING_BYTES = 256 * 1024
"""What an Arrow stream may need beside the values: schema, alignment, message heads."""
_VALIDATE_INLINE_BYTES = 256 * 1024
_REST_S = 0.01
_QUIET_S = 0.002
_RESTART_PAUSE_S = 0.5
_WAIT_S = 60.0
T = TypeVar("T")


def source_path(i: int) -> str:
    """The name under which a query in the jail reads the i-th file."""
    return f"/fd/{i}.parquet"


class PoolHealth(Struct, frozen=True, kw_only=True):
    """Whether queries can run: layers present by name, jails alive and idle of those wanted, queries in here."""

    layers: dict[str, bool]
    jails_alive: int
    jails_idle: int
    jails_wanted: int
    queries: int


class Pool:
    """`start`, then `fill` and `execute` from any task of the same event loop, then `close`."""

    def __init__(self, *, jails: int, threads: int, memory_bytes: int, queue: int, entry: str = _ENTRY,
                 extra: tuple[Bind, ...] = ()) -> None:  # fmt: skip
        """`queue`: queries that may wait. `entry` and `extra` put other code behind the parser; only tests do."""
        self._shape = Shape(entry=entry, threads=threads, memory_bytes=memory_bytes, extra=extra)
        self._wanted = jails
        self._queue = queue
        self._entered = 0
        # First in, first out: the child that has waited longest is the one surely prepared.
        self._idle: asyncio.Queue[Jail] = asyncio.Queue()
        self._jails: set[Jail] = set()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._quiet: asyncio.TimerHandle | None = None
        self._closed = False

    async def start(self) -> None:
        """Open the first jail. Raises LayerMissing naming each mandatory layer that is absent or does not hold."""
        # No query enters before it is there and the proof stands. What is missing is told first: it is why the
        # jail fails.
        required = (asyncio.to_thread(layers.require), asyncio.to_thread(prove))
        opened = await asyncio.gather(*required, self._open(), return_exceptions=True)
        lost = next((each for each in opened if each is not None), None)
        if lost is not None:
            await self.close()
            raise lost

    def fill(self) -> asyncio.Task[None]:
        """Open the others, each until it stands; queries need not wait for it."""
        return self._follow(self._open_others())

    async def close(self) -> None:
        """End every jail and whatever runs in it."""
        self._closed = True
        if self._quiet is not None:
            self._quiet.cancel()
        for jail in self._jails:
            jail.end()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        for jail in list(self._jails):
            await self._discard(jail)

    @property
    def full(self) -> bool:
        """Whether one more query would be turned away."""
        return self._closed or self._entered >= self._wanted + self._queue

    def pids(self) -> tuple[int, ...]:
        """Process ids of the jails; killing one ends it with the query it runs."""
        return tuple(jail.pid for jail in self._jails)

    def health(self) -> PoolHealth:
        """How it stands right now."""
        return PoolHealth(
            layers={layer.name: layer.present for layer in layers.check()},
            jails_alive=sum(jail.alive for jail in self._jails),
            jails_idle=self._idle.qsize(),
            jails_wanted=self._wanted,
            queries=self._entered,
        )

    async def execute(
        self,
        sql: str,
        files: Sequence[Path],
        columns: tuple[OutputColumn, ...],
        limits: Limits,
        sink: Sink | None = None,
        inside: Callable[[Callable[[], None]], None] | None = None,
    ) -> Result:
        """Run SQL that reads files[i] as `source_path(i)`; gives an answer with exactly these columns.

        `sink`: where the answer goes, part by part, instead of into the result. `inside` is called when a jail
        is free, with what will end the query there: it then fails as a worker that was lost. If it raises, nothing
        goes in. Raises SandboxFailed, and what the sink and `inside` raise. Cancelling it kills the child.
        """
        if self.full:
            raise SandboxFailed("sandbox.unavailable", entered=False)
        self._entered += 1
        self._wait_for_quiet()
        try:
            jail = await self._take()
            try:
                if inside is not None:
                    inside(lambda: None if work.done() else jail.kill())
            except BaseException:
                self._idle.put_nowait(jail)  # untouched
                raise
            work = self._follow(self._work(jail, sql, files, columns, limits, sink))
            work.add_done_callback(lambda _: self._follow(self._recycle(jail)))
            try:
                return await asyncio.shield(work)
            except asyncio.CancelledError:
                # The work goes on to its end, which is near: it still holds the jail and the descriptors.
                if not work.done():
                    jail.kill()
                raise
        finally:
            self._entered -= 1
            self._wait_for_quiet()

    async def _work(
        self,
        jail: Jail,
        sql: str,
        files: Sequence[Path],
        columns: tuple[OutputColumn, ...],
        limits: Limits,
        sink: Sink | None,
    ) -> Result:
        size = limits.max_bytes + _FRAMING_BYTES
        with contextlib.ExitStack() as stack:
            inputs = [_opened(stack, path) for path in files]
            query = Query(sql=sql, max_rows=limits.max_rows, threads=min(limits.threads, self._shape.threads))
            output = _fixed_size_memory(size)
            stack.callback(os.close, output)
            outcome = await jail.run(
                msgspec.msgpack.encode(query),
                output=output,
                inputs=inputs,
                deadline_ms=limits.deadline_ms,
                memory_bytes=limits.memory_bytes,
            )
            require_done(outcome, msgspec.structs.asdict(limits))
            data = _sealed(output, outcome, size)
        collected = io.BytesIO()
        counted = _Through(collected if sink is None else sink)
        if len(data) <= _VALIDATE_INLINE_BYTES:
            held = copy_answer(data, columns, limits, counted)
        else:
            held = await asyncio.to_thread(copy_answer, data, columns, limits, counted)
        stream = collected.getvalue()
        return Result(
            stream=stream, rows=held.rows, records=held.records, columns=columns,
            usage=usage(outcome, counted.size_bytes),
        )  # fmt: skip

    async def _take(self) -> Jail:
        try:
            async with asyncio.timeout(_WAIT_S):
                while not (jail := await self._idle.get()).alive:
                    self._follow(self._replace(jail))
                return jail
        except TimeoutError:
            raise SandboxFailed("sandbox.unavailable", entered=False) from None

    async def _open(self) -> None:
        jail = await open_jail(self._shape)
        self._jails.add(jail)
        self._offer(jail)

    def _offer(self, jail: Jail) -> None:
        self._idle.put_nowait(jail)
        self._wait_for_quiet()

    def _wait_for_quiet(self) -> None:
        """Children rehearse when no query has been here for a while: among many, they would take the processor
        from queries that wait."""
        if self._quiet is not None:
            self._quiet.cancel()
            self._quiet = None
        if not self._entered:
            self._quiet = asyncio.get_running_loop().call_later(_QUIET_S, self._rehearse)

    def _rehearse(self) -> None:
        for jail in self._jails:
            jail.rehearse()

    async def _open_others(self) -> None:
        await asyncio.gather(*(self._open_at_last() for _ in range(self._wanted - 1)))

    async def _open_at_last(self) -> None:
        while not self._closed:
            try:
                return await self._open()
            except JailLost as lost:
                _log.error("no new jail: %s", lost)
                await asyncio.sleep(_RESTART_PAUSE_S)

    async def _recycle(self, jail: Jail) -> None:
        """Have the next child ready; a jail that cannot is replaced."""
        # Whoever waits goes first: a new child costs more than a small query, which is settled meanwhile.
        await asyncio.sleep(0 if self._idle.empty() else _REST_S)
        try:
            await jail.prepare()
            self._offer(jail)
            return
        except JailLost as lost:
            if not self._closed:
                _log.warning("jail lost: %s", lost)
        await self._replace(jail)

    async def _replace(self, jail: Jail) -> None:
        await self._discard(jail)
        await self._open_at_last()

    async def _discard(self, jail: Jail) -> None:
        self._jails.discard(jail)
        await asyncio.to_thread(jail.close)

    def _follow(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # Whoever was to hear of its failure may have been cancelled.
        if not task.cancelled():
            task.exception()


def _opened(stack: contextlib.ExitStack, path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise SandboxFailed("sandbox.unavailable", entered=False) from error
    stack.callback(os.close, descriptor)
    return descriptor


def _fixed_size_memory(size: int) -> int:
    """A file in memory that the worker can fill but never grow."""
    descriptor = os.memfd_create("answer", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(descriptor, size)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    return descriptor


class _Through:
    """Counts what goes through."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.size_bytes = 0

    def write(self, data: bytes, /) -> int:
        self.size_bytes += len(data)
        return self._sink.write(data)


def _sealed(descriptor: int, outcome: Outcome, size: int) -> bytes | mmap.mmap:
    """What the worker wrote, now that nobody can write it any more; much of it is only mapped."""
    written = outcome.reply.written_bytes if outcome.reply else 0
    try:
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
    except OSError as error:
        raise SandboxFailed("sandbox.worker_lost", entered=True) from error
    if not 0 < written <= size:
        raise SandboxFailed("sandbox.invalid_result", entered=True)
    if written <= _VALIDATE_INLINE_BYTES:
        return os.pread(descriptor, written, 0)
    return mmap.mmap(descriptor, written, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
