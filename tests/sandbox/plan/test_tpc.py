"""The 22 questions of TPC-H and the 99 of TPC-DS, unchanged: answered as plain DuckDB answers them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from sandbox.isolation.pool import Pool
from sandbox.job import Column, Limits, TableFiles, TableSchema
from sandbox.run import run
from tests.attack.conftest import require_layers
from tests.sandbox.plan.asking import World, same

DUCKDB = "1.5.5"
QUESTIONS = {"tpch": 22, "tpcds": 99}
ROOT = Path(__file__).resolve().parents[3]
TIMEOUT_S = 300


class Benchmark:
    """Its tables as files and as views in a plain DuckDB, and its questions by number."""

    def __init__(self, folder: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.questions = {int(n): text for n, text in json.loads((folder / "questions.json").read_text()).items()}
        self.files = {path.stem: path for path in sorted(folder.glob("*.parquet"))}
        tables = []
        for name, path in self.files.items():
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{path}')")
            described = connection.execute(f"DESCRIBE {name}").fetchall()
            columns = tuple(Column(name=column, type=given) for column, given, *_ in described)
            tables.append(TableSchema(name=name, mode="rows", columns=columns))
        self.world = World(connection, tables, {name: [str(path)] for name, path in self.files.items()})


def written(name: str, folder: Path) -> Path:
    """The folder with tables and questions. Where they cannot be had: skip, in CI fail."""
    uv = shutil.which("uv") or str(ROOT / ".tools" / "uv" / "bin" / "uv")
    command = [
        uv, "run", "--quiet", "--no-project", "--with", f"duckdb=={DUCKDB}",
        "--with", f"duckdb-extension-{name}=={DUCKDB}",
        "python", str(Path(__file__).with_name("tpc_data.py")), name, str(folder),
    ]  # fmt: skip
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT_S)
    except (OSError, subprocess.SubprocessError) as error:
        message = f"no questions of {name}: {getattr(error, 'stderr', b'') or error!r}"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="module")
def benchmarks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Benchmark]]:
    with ExitStack() as stack:
        yield {
            name: Benchmark(written(name, tmp_path_factory.mktemp(name)), stack.enter_context(duckdb.connect()))
            for name in QUESTIONS
        }


@pytest.fixture(scope="module")
async def pool() -> AsyncIterator[Pool]:
    require_layers()
    opened = Pool(jails=1, threads=2, memory_bytes=512 * 1024 * 1024, queue=2)
    await opened.start()
    yield opened
    await opened.close()


NUMBERED = [(name, number) for name, count in QUESTIONS.items() for number in range(1, count + 1)]


@pytest.mark.parametrize(("name", "number"), NUMBERED)
def test_a_question_is_answered_as_plain_duckdb_answers_it(
    benchmarks: dict[str, Benchmark], name: str, number: int
) -> None:
    one = benchmarks[name]
    sql = one.questions[number]
    assert same(one.world.ours(sql), one.world.plain(sql))


@pytest.mark.parametrize("number", range(1, QUESTIONS["tpch"] + 1))
async def test_the_jail_answers_each_question_of_tpc_h(
    benchmarks: dict[str, Benchmark], pool: Pool, number: int
) -> None:
    one = benchmarks["tpch"]
    sql = one.questions[number]
    plan = one.world.plan(sql)
    files = [TableFiles(name=table, parts=(one.files[table],)) for table in plan.reads]
    result = await run(plan, files, Limits(), pool)
    table = pa.ipc.open_stream(result.stream).read_all()
    rows = [tuple(column[i].as_py() for column in table.columns) for i in range(table.num_rows)]
    assert same(rows, one.world.plain(sql))
