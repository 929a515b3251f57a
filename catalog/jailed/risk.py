"""All measures of anonymity from one grouping by class and sensitive value: nothing else reads the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO, Final

import duckdb
import msgspec

from catalog.jailed import engine, spread
from catalog.jailed.loaded import LOADED
from catalog.risk.figures import PopulationRisk, Risk, RiskOrder, RiskReply, SizeBand
from sandbox.worker.refusal import Refused

assert LOADED  # imported for what importing it does
warm = engine.warm

BANDS: Final = (1, 2, 5, 10, 20, 50, 100, 1000)


def main(payload: bytes, inputs: Sequence[int], _: BinaryIO) -> bytes:
    """Measure Parquet files as a RiskOrder says. Returns a RiskReply."""
    order = msgspec.msgpack.decode(payload, type=RiskOrder)
    connection = engine.ready_engine()
    files = ", ".join(f"'/fd/{i}.parquet'" for i in range(order.files))
    chosen = [f"{_name(c)} AS q{i}" for i, c in enumerate(order.quasi_identifiers)]
    population = ""
    if order.counted:
        counted = f"{_name(order.counted)} AS n"
        population = f"SELECT {', '.join([*chosen, counted])} FROM read_parquet('/fd/{order.files}.parquet')"
    chosen += [f"{_name(c)} AS s{i}" for i, c in enumerate(order.sensitive)]
    try:
        rows = f"SELECT {', '.join(chosen)} FROM read_parquet([{files}])"
        reply = measured(connection, rows, len(order.quasi_identifiers), order.sensitive, population)
    except (duckdb.OutOfMemoryException, MemoryError):
        raise Refused("memory") from None
    except duckdb.BinderException:
        reply = RiskReply(fault="columns")
    return msgspec.msgpack.encode(reply)


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def measured(
    connection: duckdb.DuckDBPyConnection, rows: str, keys: int, sensitive: Sequence[str], population: str = ""
) -> RiskReply:
    """Of the query `rows`: columns q0 …, which a class is alike in, and s0 …; `population`: q0 …, n."""
    _count(connection, rows, keys, len(sensitive))
    persons, classes, k, alone = spread.one_row(
        connection, "SELECT sum(size), count(*), min(size), count(*) FILTER (size = 1) FROM classes"
    )
    if not classes:
        return RiskReply(fault="rows")
    against = _population(connection, population, keys, persons) if population else None
    if population and against is None:
        return RiskReply(fault="population")
    risk = Risk(
        persons=persons, classes=classes, k=k, unique_share=alone / persons,
        prosecutor_highest=1 / k, prosecutor_average=classes / persons,
        sizes=_sizes(connection), sensitive=spread.measured(connection, sensitive, keys), population=against,
    )  # fmt: skip
    return RiskReply(risk=risk)


def _count(connection: duckdb.DuckDBPyConnection, rows: str, keys: int, sensitive: int) -> None:
    """The tables `counted` (q0 …, s0 …, attribute, n), from the one reading of the rows, and `classes`."""
    alike = ", ".join(f"q{i}" for i in range(keys))
    if sensitive > 1:
        sets = ", ".join(f"({alike}, s{i})" for i in range(sensitive))
        told = ", ".join(f"s{i}" for i in range(sensitive))
        which = " ".join(f"WHEN GROUPING(s{i}) = 0 THEN {i}" for i in range(sensitive))
        chosen, grouped = f"{alike}, {told}, CASE {which} END AS attribute", f"GROUPING SETS ({sets})"
    else:
        grouped = f"{alike}, s0" if sensitive else alike
        chosen = f"{grouped}, 0 AS attribute"
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE counted AS SELECT {chosen}, count(*) AS n FROM ({rows}) GROUP BY {grouped}"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE classes AS SELECT row_number() OVER () AS class, {alike}, "
        f"CAST(sum(n) AS BIGINT) AS size FROM counted WHERE attribute = 0 GROUP BY {alike}"
    )


def same_class(left: str, right: str, keys: int) -> str:
    """An empty cell is a value like any other here."""
    return " AND ".join(f"{left}.q{i} IS NOT DISTINCT FROM {right}.q{i}" for i in range(keys))


def _sizes(connection: duckdb.DuckDBPyConnection) -> tuple[SizeBand, ...]:
    floors = " ".join(f"WHEN size >= {floor} THEN {floor}" for floor in reversed(BANDS))
    found = connection.execute(
        f"SELECT CASE {floors} END AS at_least, count(*), sum(size) FROM classes GROUP BY 1 ORDER BY 1"
    ).fetchall()
    return tuple(SizeBand(at_least=a, classes=c, persons=p) for a, c, p in found)


def _population(
    connection: duckdb.DuckDBPyConnection, population: str, keys: int, persons: int
) -> PopulationRisk | None:
    """None where the population has fewer persons in a class than the table: then it is not its population."""
    alike = ", ".join(f"q{i}" for i in range(keys))
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE everybody AS SELECT {alike}, CAST(sum(n) AS BIGINT) AS n "
        f"FROM ({population}) GROUP BY {alike} HAVING sum(n) > 0"
    )
    joined = f"classes LEFT JOIN everybody ON {same_class('classes', 'everybody', keys)}"
    wrong, classes, least, inside, records, low, high, alone = spread.one_row(
        connection,
        f"SELECT count(*) FILTER (n IS NULL OR n < size), count(*), min(n), sum(n), sum(size / n), "
        f"min(size / n), max(size / n), count(*) FILTER (n = 1) FROM {joined}",
    )
    if wrong:
        return None
    total, all_classes = spread.one_row(connection, "SELECT sum(n), count(*) FROM everybody")
    marketer = records / persons
    return PopulationRisk(
        persons=total, unique_share=alone / persons, journalist_highest=1 / least,
        journalist_average=max(classes / inside, marketer), marketer=marketer,
        presence=(low if classes == all_classes else 0.0, high),
    )  # fmt: skip
