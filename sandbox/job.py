"""What goes into the sandbox and what comes out: the job, its limits, the result with its usage.

Types of columns are DuckDB's names from a fixed list (`ColumnType`), the same in catalog, plan and result.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

ColumnType = Literal["BOOLEAN", "BIGINT", "DOUBLE", "DECIMAL(38,0)", "VARCHAR", "DATE", "TIMESTAMP"]
Mode = Literal["rows", "aggregate", "dp"]
LEVEL: Final = "cohort_level"
"""At which level of generalisation a cohort stands: 'fine', 'fallback', 'fallback_2' and so on."""


class Bounds(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the owner declares of a number in dp mode: it is brought between the two, and to whole steps."""

    lower: float
    upper: float
    step: float = 1.0

    @property
    def steps(self) -> tuple[int, int]:
        """The bounds counted in steps, which is how the jail adds up: in integers."""
        return round(self.lower / self.step), round(self.upper / self.step)


class Column(Struct, frozen=True, kw_only=True):
    """A column that SQL may name. `kind` measure: in aggregate mode it may only be aggregated.

    `bounds`, `values`: in dp mode what the owner declares of a number, and every value that there can be.
    """

    name: str
    type: str
    kind: Literal["dimension", "measure"] = "dimension"
    bounds: Bounds | None = None
    values: tuple[str, ...] | None = None


class TableSchema(Struct, frozen=True, kw_only=True):
    """A table as the analyst sees it: name is the dataset's slug. Columns: only those the agreement allows."""

    name: str
    mode: Mode
    columns: tuple[Column, ...]
    pairs: tuple[tuple[str, str], ...] = ()
    """In aggregate mode: measures whose cross-products the files hold."""
    tells_level: bool = False
    """In aggregate mode: whether the files hold LEVEL, which every agreement allows, as it does count(*)."""


class RowFilter(Struct, frozen=True, kw_only=True):
    """What every record that is read must meet: `values`, or from `low` to `high`, both ends in (None: open).

    Of a quasi-identifier, so that it chooses whole cohorts. An empty cell meets none. Dates as ISO 8601.
    """

    column: str
    type: str
    values: tuple[str | int | float | bool, ...] = ()
    low: str | int | float | None = None
    high: str | int | float | None = None


class TableFiles(Struct, frozen=True, kw_only=True):
    """The Parquet parts (one revision, one purpose) that stand behind a table; read-only in the jail.

    `row_filter`: all of them hold for every record, whatever the SQL is.
    """

    name: str
    parts: tuple[Path, ...]
    row_filter: tuple[RowFilter, ...] = ()


class OutputColumn(Struct, frozen=True, kw_only=True):
    """A column of the answer, as the typed plan predicts it (DuckDB type name; lists end in [])."""

    name: str
    type: str


class Limits(Struct, frozen=True, kw_only=True):
    deadline_ms: int = 30_000
    memory_bytes: int = 1_024 * 1024 * 1024
    max_rows: int = 10_000
    """Records that the answer may hold (`Result.records`). Above it the query fails, it is never cut."""
    values_a_record: int | None = None
    """Of a row; each beyond them counts as a record. None: however many values, a row is one."""
    max_bytes: int = 16 * 1024 * 1024
    threads: int = 2
    """For few records 1 is quicker: to start a second thread costs more than it saves."""


class Usage(Struct, frozen=True, kw_only=True):
    """Measured by the broker, not by the worker (but engine_us, which only informs)."""

    wall_us: int
    cpu_us: int
    peak_memory_bytes: int
    result_bytes: int
    engine_us: int


class Result(Struct, frozen=True, kw_only=True):
    """A validated answer: one Arrow IPC stream, empty here when it went to a sink."""

    stream: bytes
    rows: int
    records: int
    """That it may hold: rows, elements of lists, one for each 10 bytes of a text above 100, each value beyond
    `Limits.values_a_record`. What caps count, and what is paid for by the row."""
    columns: tuple[OutputColumn, ...]
    usage: Usage


FailureCode = Literal[
    "sandbox.deadline", "sandbox.memory", "sandbox.too_many_rows", "sandbox.too_many_bytes",
    "sandbox.too_many_steps",
    "sandbox.engine_refused", "sandbox.worker_lost", "sandbox.invalid_result", "sandbox.unavailable",
    "sandbox.records_unknown",
]  # fmt: skip


class SandboxFailed(Exception):
    """The query did not give an answer. `entered`: it ended inside the jail, so it costs its quote (invariant 10).

    Only `code` and numbers in `params` may reach a startup: no engine text, no cell, no path (invariant 9).
    """

    def __init__(self, code: FailureCode, *, entered: bool, params: dict[str, int] | None = None,
                 usage: Usage | None = None) -> None:  # fmt: skip
        super().__init__(code)
        self.code = code
        self.entered = entered
        self.params = params or {}
        self.usage = usage
