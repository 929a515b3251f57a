"""What running engines need of the kernel, found out by taking it away.

`python -m tests.sandbox.isolation.learning`: a real jail that would let everything through does real jobs, a
query and the steps of a publication, behind one more program that takes a call away. What no job misses stays
away; what is left is the smallest list for these jobs. The same for the warm process, with jails that start behind
such a program. It takes some minutes.
"""

from __future__ import annotations

import asyncio
import errno
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb
import msgspec
from msgspec import Struct

from catalog.pii.libraries import libraries
from catalog.storage import Store
from sandbox.isolation import seccomp
from sandbox.isolation.allowed import RULES, WARM_RULES, Rule
from sandbox.isolation.jail import Jail, JailLost
from sandbox.isolation.runtime import Bind, numpy
from sandbox.isolation.start import Shape, open_jail
from sandbox.worker.wire import Query
from tests.catalog.plain import in_process
from tests.catalog.small import AGGREGATE_MANIFEST, people, publish_rows
from tests.sandbox.isolation.trial import Trial

QUERY = "sandbox.worker.query:answer"
MEMORY_BYTES = 256 << 20
_PATIENCE_MS = 15_000
"""Who waits for a lock that is never given waits for ever; who is late on a busy machine does not."""
SEEN = """
WITH a AS (SELECT * FROM read_parquet(['/fd/0.parquet', '/fd/1.parquet'])),
b AS (SELECT g, sum(v)::BIGINT AS s, string_agg(t, ',' ORDER BY t) AS words, list(v ORDER BY v) AS each
      FROM a WHERE regexp_matches(t, '[0-9]+') GROUP BY g)
SELECT b.g, b.s, len(b.words) AS l, list_sum(b.each)::BIGINT AS e, sum(hash(a.t) % 7)::BIGINT AS h,
       rank() OVER (ORDER BY b.s, b.g) AS r, max(strftime(DATE '2026-01-01' + (a.v % 99)::INTEGER, '%d/%m')) AS d
FROM a JOIN b ON a.g = b.g GROUP BY b.g, b.s, b.words, b.each ORDER BY r
"""
TOO_MUCH = "SELECT len(list(repeat('x', 100000) || i)) AS a FROM range(20000) t(i)"
WRONG = "SELECT error('cell') AS a"


class Job(Struct, frozen=True):
    """A real job: what goes in, and how it ends where nothing is missing."""

    entry: str
    payload: bytes
    files: tuple[bytes, ...]
    ends: str = "done"


def query(sql: str, files: Sequence[bytes] = (), ends: str = "done") -> Job:
    return Job(QUERY, msgspec.msgpack.encode(Query(sql=sql, max_rows=10_000, threads=2)), tuple(files), ends)


def queries(folder: Path) -> list[Job]:
    """A wide query over two files by two threads, one that needs too much memory, one that fails."""
    part = folder / "part.parquet"
    rows = "SELECT i % 1000 AS g, i AS v, 'word ' || i AS t FROM range(40000) r(i)"
    duckdb.sql(f"COPY ({rows}) TO '{part}' (FORMAT parquet)")
    content = part.read_bytes()
    return [
        query(SEEN, [content, content]),
        query(TOO_MUCH, ends="memory"),
        query(WRONG, ends="engine"),
    ]


def publication(folder: Path) -> list[Job]:
    """The jobs of a second version, as a publication sends them."""
    jobs: list[Job] = []
    with in_process() as play:

        def run(entry: str, payload: bytes, files: Sequence[int], **more: Any) -> Any:
            jobs.append(Job(entry, payload, tuple(os.pread(f, 1 << 24, 0) for f in files)))
            return play(entry, payload, files, **more)

        with patch("catalog.making.run_once", run), patch("catalog.intake.run_once", run):
            store, rows = Store(folder / "store"), people(60)
            first = publish_rows(store, folder, rows, manifest=AGGREGATE_MANIFEST)
            publish_rows(store, folder, rows[1:], manifest=AGGREGATE_MANIFEST, previous=first.version.id)
    return jobs[len(jobs) // 2 :]


@asynccontextmanager
async def trial_jail(program: bytes, warm_program: bytes | None = None) -> AsyncIterator[Jail]:
    """A jail whose children are bound by `program`, and do jobs behind what a trial takes away."""
    warm = warm_program or seccomp.warm_program()
    shape = Shape(
        entry="trial:run",
        threads=2,
        memory_bytes=MEMORY_BYTES,
        extra=(*numpy(), *libraries(), Bind(str(Path(__file__).with_name("trial.py")), "/site/trial.py")),
    )
    with (
        patch.object(seccomp, "allow_program", lambda: program),
        patch.object(seccomp, "warm_program", lambda: warm),
    ):
        jail = await open_jail(shape)
    try:
        yield jail
    finally:
        await asyncio.to_thread(jail.close)


async def serves(warm_program: bytes, *, deadline_ms: int = 1_500) -> bool:
    """Whether a warm process behind this program makes children that get what is theirs, one after another."""
    here = Path(__file__).with_name("served.py")
    shape = Shape(
        entry="served:run", threads=1, memory_bytes=MEMORY_BYTES, extra=(Bind(str(here), "/site/served.py"),)
    )
    job = Job("served:run", b"", (b"content",))
    try:
        with patch.object(seccomp, "warm_program", lambda: warm_program):
            jail = await open_jail(shape)
        try:
            return all([await _does(jail, job.payload, job, deadline_ms) for _ in range(2)])
        finally:
            await asyncio.to_thread(jail.close)
    except JailLost:
        return False


def without(rules: Iterable[Rule], *, fatally: bool = False) -> bytes:
    """A program that takes these away: whoever asks is refused, or ended."""
    library = seccomp._library()
    program = library.SyscallFilter(library.ALLOW)
    program.add_rule(library.ERRNO(errno.ENOSYS), "clone3")
    action = library.KILL_PROCESS if fatally else library.ERRNO(errno.EPERM)
    for rule in rules:
        tests = (library.Arg(t.index, library.MASKED_EQ, t.mask, t.value) for t in rule.when)
        program.add_rule(action, rule.call, *tests)
    return seccomp._compiled(program)


async def ends_well(jail: Jail, job: Job, program: bytes = b"", *, deadline_ms: int = 20_000) -> bool:
    """Whether the job, done behind the program, ends as it does without."""
    trial = msgspec.msgpack.encode(Trial(program, job.entry, job.payload))
    return await _does(jail, trial, job, deadline_ms)


async def _does(jail: Jail, payload: bytes, job: Job, deadline_ms: int) -> bool:
    output = os.memfd_create("answer")
    files = [_file(content) for content in job.files]
    try:
        outcome = await jail.run(
            payload, output=output, inputs=files, deadline_ms=deadline_ms, memory_bytes=MEMORY_BYTES
        )
        await jail.prepare()
        return outcome.reply is not None and outcome.reply.outcome == job.ends
    finally:
        for descriptor in (output, *files):
            os.close(descriptor)


def _file(content: bytes) -> int:
    descriptor = os.memfd_create("input")
    os.write(descriptor, content)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


async def missed(
    jail: Jail, jobs: Iterable[Job], rules: Iterable[Rule], *, fatally: bool = False, patience_ms: int = 1_500
) -> bool:
    """Whether some job does not end well when these are taken away; `fatally`: whether some job asks for them."""
    program = without(rules, fatally=fatally)
    for job in jobs:
        if not await ends_well(jail, job, program, deadline_ms=patience_ms):
            return True
    return False


async def learn(jobs: list[Job], calls: list[str], told: Callable[[str], object]) -> list[str]:
    """The calls that are left when all those are taken away that no job misses."""
    gone: list[Rule] = []
    needed = []
    everything = without([])
    async with trial_jail(everything, warm_program=everything) as jail:
        for call in calls:
            if await missed(jail, jobs, [*gone, Rule(call)], patience_ms=_PATIENCE_MS):
                needed.append(call)
                told(f"{call}: a job fails without it")
            else:
                gone.append(Rule(call))
                if await missed(jail, jobs, [Rule(call)], fatally=True, patience_ms=_PATIENCE_MS):
                    told(f"{call}: asked for, and lived without")
    return needed


async def learn_warm(calls: list[str], told: Callable[[str], object]) -> list[str]:
    """The same of a warm process."""
    gone: list[Rule] = []
    needed = []
    for call in calls:
        if await serves(without([*gone, Rule(call)]), deadline_ms=_PATIENCE_MS):
            gone.append(Rule(call))
        else:
            needed.append(call)
            told(f"{call}: the warm process fails without it")
    return needed


def every_call() -> list[str]:
    """The names of all calls that libseccomp knows here."""
    library = seccomp._library()
    native = library.system_arch()
    names = []
    for number in range(1_024):
        try:
            names.append(library.resolve_syscall(native, number).decode())
        except (ValueError, OSError):
            continue
    return names


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        jobs = [job for job in [*queries(folder), *publication(folder)] if job.ends == "done"]
        _compare(asyncio.run(learn(jobs, every_call(), print)), RULES)
    _compare(asyncio.run(learn_warm(every_call(), print)), WARM_RULES)


def _compare(needed: Iterable[str], rules: Iterable[Rule]) -> None:
    allowed = {rule.call for rule in rules}
    print("not allowed, but missed:", sorted(set(needed) - allowed))
    print("allowed for another reason:", sorted(allowed - set(needed)))


if __name__ == "__main__":
    main()
