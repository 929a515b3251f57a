"""What the broker and the jail that checks quality say to each other: an order in, counts back; never a cell."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from catalog.quality.suite import Expectation

Judge = Literal["own", "great_expectations"]


class CheckedColumn(Struct, frozen=True, kw_only=True):
    name: str
    type: str
    """DuckDB's."""


class QualityOrder(Struct, frozen=True, kw_only=True):
    """`source`: an Arrow IPC stream, or Parquet files, as inputs."""

    columns: tuple[CheckedColumn, ...]
    expectations: tuple[Expectation, ...]
    source: Literal["arrow", "parquet"]
    judge: Judge
    memory_bytes: int
    threads: int


class Counted(Struct, frozen=True, kw_only=True):
    """One expectation: `unexpected` of `tested` values. Of what is about a whole column or table `tested` is 1.

    `met`: None where it could not be judged, and `error` says why."""

    tested: int = 0
    unexpected: int = 0
    met: bool | None = None
    judge: Judge = "own"
    error: str = ""


class QualityReply(Struct, frozen=True, kw_only=True):
    """`counted` in the order's order."""

    rows: int = 0
    counted: tuple[Counted, ...] = ()
    fault: str = ""


class ProfileOrder(Struct, frozen=True, kw_only=True):
    """Inputs: Parquet files. `weight`: the column that says how many persons a record stands for."""

    columns: tuple[CheckedColumn, ...]
    weight: str
    floor: int
    """Bins of fewer persons are put together."""
    source: Literal["arrow", "parquet"]
    threads: int
    memory_bytes: int


class Bin(Struct, frozen=True):
    """`label`: "" for what is in no other bin, None for no value."""

    label: str | None
    persons: int


class ColumnProfile(Struct, frozen=True, kw_only=True):
    name: str
    bins: tuple[Bin, ...]


class Profile(Struct, frozen=True, kw_only=True):
    persons: int = 0
    columns: tuple[ColumnProfile, ...] = ()
    fault: str = ""
