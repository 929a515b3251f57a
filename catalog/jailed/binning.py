"""A jail that counts persons by bins of each column, so that two versions can be compared. It sees one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Final

import duckdb
import msgspec
import pyarrow as pa

from catalog.jailed.expected import TABLE, quoted
from catalog.jailed.loaded import LOADED
from catalog.jailed.table import connect, open_table
from catalog.quality.wire import Bin, CheckedColumn, ColumnProfile, Profile, ProfileOrder

assert LOADED  # imported for what importing it does

MOST_BINS: Final = 100
_connection: duckdb.DuckDBPyConnection


def warm(_boot: object) -> None:
    """Open the engine while libraries can still be loaded."""
    global _connection  # noqa: PLW0603 (inherited over fork: there is nobody to hand it over)
    _connection = connect()
    _connection.execute("SELECT strftime(DATE '2000-01-01', '%Y'), log10(7), sum(1)").fetchall()


def main(payload: bytes, inputs: Sequence[int], _output: BinaryIO) -> bytes:
    """A ProfileOrder's inputs counted. Returns a Profile."""
    order = msgspec.msgpack.decode(payload, type=ProfileOrder)
    try:
        profile = profile_of(_connection, order, inputs)
    except (duckdb.Error, pa.ArrowException, OSError):
        profile = Profile(fault="unreadable")
    return msgspec.msgpack.encode(profile)


def profile_of(connection: duckdb.DuckDBPyConnection, order: ProfileOrder, inputs: Sequence[int]) -> Profile:
    """Raises duckdb.Error, pa.ArrowException."""
    weight = (CheckedColumn(name=order.weight, type="BIGINT"),) if order.weight else ()
    open_table(
        connection, inputs, (*order.columns, *weight), order.source, threads=order.threads,
        memory_bytes=order.memory_bytes,
    )  # fmt: skip
    persons = f"sum({quoted(order.weight)})" if order.weight else "count(*)"
    total = connection.execute(f"SELECT coalesce({persons}, 0)::BIGINT FROM {TABLE}").fetchall()[0][0]
    columns = tuple(
        ColumnProfile(name=c.name, bins=_bins(connection, c, persons, order.floor)) for c in order.columns
    )
    return Profile(persons=total, columns=columns)


def _bins(
    connection: duckdb.DuckDBPyConnection, column: CheckedColumn, persons: str, floor: int
) -> tuple[Bin, ...]:
    rows = connection.execute(f"""
        SELECT {_label(column)} AS label, ({persons})::BIGINT AS n FROM {TABLE} GROUP BY label
        ORDER BY n DESC, label
    """).fetchall()
    shown = [Bin(label, n) for label, n in rows if n >= floor][:MOST_BINS]
    rest = sum(n for _, n in rows) - sum(b.persons for b in shown)
    return (*shown, *((Bin("", rest),) if rest else ()))


def _label(column: CheckedColumn) -> str:
    """A value has the same bin in every version: numbers by sign, magnitude and first digit, days by month."""
    name = quoted(column.name)
    if column.type in ("DATE", "TIMESTAMP"):
        return f"strftime({name}, '%Y-%m')"
    if column.type in ("BIGINT", "DOUBLE"):
        size = f"floor(log10(abs({name}::DOUBLE)))"
        digit = f"trunc({name}::DOUBLE / pow(10, {size}))"
        return f"CASE WHEN {name} IS NULL THEN NULL WHEN {name} = 0 THEN '0' ELSE {digit} || 'e' || {size} END"
    return f"CAST({name} AS VARCHAR)"
