"""What two published versions say together of one person: class sizes after a join, from their files alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import duckdb
import msgspec

from catalog.jailed import engine
from catalog.jailed.loaded import LOADED
from catalog.jailed.spread import one_row
from catalog.risk.figures import Combined, CombineOrder, Side
from sandbox.worker.refusal import Refused

assert LOADED  # imported for what importing it does
warm = engine.warm

# Of each set of shared values: how many classes of which size a version has there.
_CLASSES = """
CREATE OR REPLACE TEMP TABLE {side} AS
SELECT {shared}, size, count(*) AS classes,
       CAST(sum(size * count(*)) OVER (PARTITION BY {shared}) AS BIGINT) AS persons
FROM (SELECT {all}, CAST({counted} AS BIGINT) AS size FROM read_parquet([{files}]) GROUP BY {grouped})
GROUP BY {shared}, size
"""
# Within shared values the rest is taken as independent: `likely` persons are alike in both. What the sizes alone
# force (Fréchet's bound) is `certain`.
_PAIRS = """
CREATE OR REPLACE TEMP TABLE pairs AS
SELECT a.classes * b.classes AS classes, a.size * b.size / greatest(a.persons, b.persons) AS likely,
       greatest(0, a.size + b.size - greatest(a.persons, b.persons)) AS certain
FROM first a JOIN second b ON {same}
"""
_FIGURES = """
SELECT coalesce(sum(classes * likely), 0), coalesce(sum(classes * likely * likely), 0),
       coalesce(sum(classes * likely) FILTER (likely < {k}), 0),
       coalesce(sum(classes * likely) FILTER (certain < {k}), 0),
       coalesce(sum(classes * likely * exp(-likely)), 0)
FROM pairs
"""


def main(payload: bytes, inputs: Sequence[int], _: BinaryIO) -> bytes:
    """inputs: the parts of the first version, then those of the second. Returns a Combined."""
    order = msgspec.msgpack.decode(payload, type=CombineOrder)
    connection = engine.ready_engine()
    try:
        found = combined(connection, order)
    except (duckdb.OutOfMemoryException, MemoryError):
        raise Refused("memory") from None
    return msgspec.msgpack.encode(found)


def combined(connection: duckdb.DuckDBPyConnection, order: CombineOrder) -> Combined:
    """The figures of the order."""
    _classes(connection, "first", order.first, order.shared, begin=0)
    _classes(connection, "second", order.second, order.shared, begin=order.first.files)
    same = " AND ".join(f"a.x{i} IS NOT DISTINCT FROM b.x{i}" for i in range(len(order.shared))) or "true"
    connection.execute(_PAIRS.format(same=same))
    persons, squared, below, uncertain, alone = one_row(connection, _FIGURES.format(k=order.k))
    (matched, every) = one_row(
        connection,
        f"SELECT coalesce(sum(size * classes) FILTER (EXISTS (FROM second b WHERE {same})), 0), "
        "sum(size * classes) FROM first a",
    )
    return Combined(
        shared=order.shared, k=order.k, persons=float(persons), matched_share=float(matched / every),
        likely_class=float(squared / persons) if persons else 0.0,
        below_k_share=float(below / persons) if persons else 0.0,
        uncertain_share=float(uncertain / persons) if persons else 0.0, alone=float(alone),
    )  # fmt: skip


def _classes(
    connection: duckdb.DuckDBPyConnection, name: str, side: Side, shared: Sequence[str], *, begin: int
) -> None:
    """`begin`: where its files begin among the inputs."""
    quoted = [_name(c) for c in side.quasi_identifiers]
    labels = [f"{_name(c)} AS x{i}" for i, c in enumerate(shared)] or ["0 AS x0"]
    connection.execute(
        _CLASSES.format(
            side=name, shared=", ".join(f"x{i}" for i in range(len(labels))), all=", ".join(labels),
            counted=f"sum({_name(side.counted)})" if side.counted else "count(*)",
            files=", ".join(f"'/fd/{begin + i}.parquet'" for i in range(side.files)),
            grouped=", ".join(quoted),
        )
    )  # fmt: skip


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'
