"""A real pool whose child runs an attack where it would run a query."""

from __future__ import annotations

import asyncio
import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType

import msgspec
import pyarrow as pa
import pytest

from sandbox.isolation import layers
from sandbox.isolation.jail import Jail
from sandbox.isolation.pool import Pool
from sandbox.isolation.runtime import Bind, numpy
from sandbox.isolation.start import Shape, open_jail
from sandbox.job import Limits, OutputColumn
from sandbox.worker.wire import Query

Attack = Callable[..., Awaitable[str]]
MEMORY_BYTES = 256 << 20
ATTACKS = Bind(str(Path(__file__).with_name("attacks")), "/site/attacks")


def names(*modules: ModuleType) -> list[str]:
    """Every attack of these modules as "module.function"."""
    return [
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and function.__module__ == module.__name__
    ]


def require_layers() -> None:
    """Skip on a machine without the layers; in CI a missing layer is a failure."""
    try:
        layers.require()
    except layers.LayerMissing as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


@asynccontextmanager
async def lone_jail(*extra: Bind) -> AsyncIterator[Jail]:
    """A jail without a pool, in which nothing was proved: for tests that switch a layer off."""
    require_layers()
    shape = Shape(
        entry="attacks.entry:run", threads=2, memory_bytes=MEMORY_BYTES, extra=(ATTACKS, *numpy(), *extra)
    )
    jail = await open_jail(shape)
    try:
        yield jail
    finally:
        await asyncio.to_thread(jail.close)


async def give(jail: Jail, name: str, *files: Path) -> str:
    """Give the jail's child an attack for a job; its cell, or how it ended without one."""
    query = msgspec.msgpack.encode(Query(sql=name, max_rows=100, threads=1))
    output = os.memfd_create("answer")
    opened = [os.open(path, os.O_RDONLY) for path in files]
    try:
        outcome = await jail.run(query, output=output, inputs=opened, deadline_ms=5_000, memory_bytes=MEMORY_BYTES)
        if outcome.reply is None or outcome.reply.outcome != "done":
            word = outcome.reply.outcome if outcome.reply else "lost"
            return "out of memory" if outcome.out_of_memory else word
        data = os.pread(output, outcome.reply.written_bytes, 0)
        return str(pa.ipc.open_stream(data).read_all()["outcome"][0].as_py())
    finally:
        for descriptor in (output, *opened):
            os.close(descriptor)
        await jail.prepare()


@pytest.fixture(scope="session")
async def attacked() -> AsyncIterator[Pool]:
    """One jail, small, with the attacks in it."""
    require_layers()
    pool = Pool(
        jails=1,
        threads=2,
        memory_bytes=MEMORY_BYTES,
        queue=4,
        entry="attacks.entry:run",
        extra=(ATTACKS, *numpy()),
    )
    await pool.start()
    yield pool
    await pool.close()


@pytest.fixture(scope="session")
def own_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The only file that a job is given."""
    path = tmp_path_factory.mktemp("version") / "part.parquet"
    path.write_bytes(b"own version")
    return path


@pytest.fixture
def attack(attacked: Pool, own_file: Path) -> Attack:
    """Run one attack in a fresh child of the pool and give the cell of its answer; raises SandboxFailed."""

    async def run(name: str, type_: str = "VARCHAR", deadline_ms: int = 20_000) -> str:
        limits = Limits(deadline_ms=deadline_ms, memory_bytes=MEMORY_BYTES, max_rows=100, max_bytes=65_536)
        columns = (OutputColumn(name="outcome", type=type_),)
        result = await attacked.execute(name, [own_file], columns, limits)
        cell: str = pa.ipc.open_stream(result.stream).read_all()["outcome"][0].as_py()
        return cell

    return run
