"""A real pool whose child runs an attack where it would run a query."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

from sandbox.isolation import layers
from sandbox.isolation.pool import Pool
from sandbox.isolation.runtime import Bind
from sandbox.job import Limits, OutputColumn

Attack = Callable[..., Awaitable[str]]
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


@pytest.fixture(scope="session")
async def attacked() -> AsyncIterator[Pool]:
    """One jail, small, with the attacks in it."""
    require_layers()
    pool = Pool(jails=1, threads=2, memory_bytes=256 << 20, queue=4, entry="attacks.entry:run", extra=(ATTACKS,))
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

    async def run(name: str, type_: str = "VARCHAR", deadline_ms: int = 2_000) -> str:
        limits = Limits(deadline_ms=deadline_ms, memory_bytes=256 << 20, max_rows=100, max_bytes=65_536)
        columns = (OutputColumn(name="outcome", type=type_),)
        result = await attacked.execute(name, [own_file], columns, limits)
        cell: str = pa.ipc.open_stream(result.stream).read_all()["outcome"][0].as_py()
        return cell

    return run
