"""dp mode between jail and broker: whatever a jail says, the query ends inside it, and costs what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from sandbox.disclosure.noise import Budget
from sandbox.isolation.pool import Pool
from sandbox.job import Limits, OutputColumn, Result, SandboxFailed, TableFiles, Usage
from sandbox.run import Spending, run
from tests.sandbox.disclosure.survey import planned, stream_of

SPENDING = Spending(budget=Budget(rho=1.0, delta=1e-6), persons_at_most=1_000)
FILES = [TableFiles(name="survey", parts=(Path("/nowhere"),))]


class Lying(Pool):
    """A jail that answers with a day that no calendar of ours knows, whole and of the right type."""

    def __init__(self) -> None:
        """Nothing is started."""

    async def execute(self, sql: str, files: Sequence[Path], columns: tuple[OutputColumn, ...], *_: Any) -> Result:
        days = pa.array([2**31 - 1], pa.int32()).cast(pa.date32())
        stream = stream_of(pa.table({"k0": days, "m0": pa.array([500], pa.int64())}))
        usage = Usage(wall_us=1, cpu_us=2, peak_memory_bytes=3, result_bytes=len(stream), engine_us=4)
        return Result(stream=stream, rows=1, records=1, columns=columns, usage=usage)


async def test_an_answer_that_cannot_be_read_costs_the_query(caplog: pytest.LogCaptureFixture) -> None:
    plan, _ = planned("SELECT visited, count(*) FROM survey GROUP BY 1")
    with pytest.raises(SandboxFailed) as failed:
        await run(plan, FILES, Limits(), Lying(), spending=SPENDING)
    assert (failed.value.code, failed.value.entered) == ("sandbox.invalid_result", True)
    assert failed.value.usage is not None
    assert "sandbox.invalid_result" in caplog.text
