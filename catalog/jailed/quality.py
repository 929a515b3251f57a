"""A jail that judges a suite: one pass over the table for all that one pass can count, then the rest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import duckdb
import msgspec
import pyarrow as pa

from catalog.jailed.expected import TABLE, Sql, Types, Unjudged, count_alone, counted_in_one_pass, judged
from catalog.jailed.loaded import LOADED
from catalog.jailed.table import connect, open_table
from catalog.quality.suite import Expectation
from catalog.quality.wire import Counted, QualityOrder, QualityReply

assert LOADED  # imported for what importing it does

_connection: duckdb.DuckDBPyConnection


def warm(_boot: object) -> None:
    """Open the engine while libraries can still be loaded."""
    global _connection  # noqa: PLW0603 (inherited over fork: there is nobody to hand it over)
    _connection = connect()
    _connection.execute(
        "SELECT regexp_matches('a', 'a'), fsum(x), count(DISTINCT x) FROM range(3) t(x)"
    ).fetchall()


def main(payload: bytes, inputs: Sequence[int], _output: BinaryIO) -> bytes:
    """A QualityOrder's inputs judged. Returns a QualityReply."""
    order = msgspec.msgpack.decode(payload, type=QualityOrder)
    return msgspec.msgpack.encode(judge(_connection, order, inputs))


def judge(connection: duckdb.DuckDBPyConnection, order: QualityOrder, inputs: Sequence[int]) -> QualityReply:
    """What was counted; a table that cannot be read is a fault and no failure."""
    try:
        open_table(
            connection, inputs, order.columns, order.source, threads=order.threads, memory_bytes=order.memory_bytes
        )
        rows = connection.execute(f"SELECT count(*) FROM {TABLE}").fetchall()[0][0]
    except (duckdb.Error, pa.ArrowException, OSError):
        return QualityReply(fault="unreadable")
    return QualityReply(rows=rows, counted=tuple(count(connection, order)))


def count(connection: duckdb.DuckDBPyConnection, order: QualityOrder) -> list[Counted]:
    """Of each expectation, in their order; what cannot be judged has an error."""
    types: Types = {c.name: c.type for c in order.columns}
    found: dict[int, Counted] = {}
    together: dict[int, Sql] = {}
    for place, expectation in enumerate(order.expectations):
        try:
            sql = counted_in_one_pass(expectation, types)
        except Unjudged as why:
            found[place] = Counted(error=str(why))
            continue
        if sql is None:
            found[place] = _alone(connection, expectation, types)
        else:
            together[place] = sql
    found |= _together(connection, order.expectations, together)
    return [found[place] for place in range(len(order.expectations))]


def _together(
    connection: duckdb.DuckDBPyConnection, expected: Sequence[Expectation], asked: dict[int, Sql]
) -> dict[int, Counted]:
    """All in one query; where that fails each alone, so that one that is wrong spoils no other."""
    if not asked:
        return {}
    sums = ", ".join(f"{sql.tested}, {sql.unexpected}" for sql in asked.values())
    try:
        row = connection.execute(f"SELECT {sums} FROM {TABLE}").fetchall()[0]
    except (duckdb.Error, pa.ArrowException, MemoryError) as error:
        if len(asked) == 1:
            return {place: Counted(error=_word(error)) for place in asked}
        return {
            k: v for place, sql in asked.items() for k, v in _together(connection, expected, {place: sql}).items()
        }
    return {
        place: judged(row[2 * i], row[2 * i + 1], expected[place].arguments.mostly)
        for i, place in enumerate(asked)
    }  # fmt: skip


def _alone(connection: duckdb.DuckDBPyConnection, expectation: Expectation, types: Types) -> Counted:
    try:
        return count_alone(connection, expectation, types)
    except Unjudged as why:
        return Counted(error=str(why))
    except (duckdb.Error, pa.ArrowException, MemoryError) as error:
        return Counted(error=_word(error))


def _word(error: BaseException) -> str:
    """A word of ours for an engine's error, whose own text may hold a cell."""
    if isinstance(error, duckdb.OutOfMemoryException | MemoryError):
        return "memory"
    if isinstance(error, duckdb.BinderException | duckdb.ConversionException | duckdb.InvalidInputException):
        return "not_understood"
    return "engine"
