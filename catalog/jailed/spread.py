"""How sensitive values are spread over the classes: one attribute after the other, from what was counted once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import duckdb
from msgspec.structs import replace

from catalog.risk.figures import SensitiveRisk

_UNORDERED = ("VARCHAR", "ENUM", "BLOB", "DICTIONARY")
# `position` along the order of values; `share` of all persons with a value; `below`: Σ of the cumulated shares
# of the values before this one, so that a stretch without values costs one subtraction.
_VALUES = """
CREATE OR REPLACE TEMP TABLE held AS
SELECT *, coalesce(sum(cumulated) OVER before, 0) AS below FROM (
    SELECT value, row_number() OVER (ORDER BY value) - 1 AS position, n / sum(n) OVER () AS share,
           sum(n) OVER (ORDER BY value) / sum(n) OVER () AS cumulated
    FROM (SELECT s{i} AS value, sum(n) AS n FROM counted WHERE attribute = {i} AND s{i} IS NOT NULL GROUP BY 1)
) WINDOW before AS (ORDER BY position ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
"""
_SPREAD = """
CREATE OR REPLACE TEMP TABLE spread AS
SELECT class, n, position, share, CAST(sum(n) OVER (PARTITION BY class) AS BIGINT) AS known
FROM counted JOIN classes ON {alike} JOIN held ON held.value = counted.s{i}
WHERE attribute = {i}
"""
_WORST = """
SELECT count(*), min(l), min(entropy), max(alpha), max(t), max(beta), max(delta) FROM (
    SELECT count(*) AS l, -sum(n / known * ln(n / known)) AS entropy, max(n) / known AS alpha,
           sum(greatest(n / known - share, 0)) AS t, max(n / known / share) - 1 AS beta,
           max(abs(ln(n / known / share))) AS delta
    FROM spread GROUP BY class, known)
"""
_RECURSIVE = """
SELECT max(most / (known - list_sum(greatest_few))), max(floor(least / (known - list_sum(least_few)) + 1)) FROM (
    SELECT known, max(n) AS most, min(n) AS least, max(n, {fewer}) AS greatest_few, min(n, {fewer}) AS least_few
    FROM spread GROUP BY class, known)
"""
# Between two values that a class has, its cumulated share stands still while everybody's grows: Σ|Q − P| over the
# stretch is told by where P passes Q. Earth mover's distance with ordered distance, Li et al. 2007, §6.1.
_ORDERED = """
WITH stretches AS (
    SELECT class, position AS begin, sum(n) OVER ordered / known AS q,
           lead(position, 1, {values}) OVER ordered AS until,
           row_number() OVER ordered = 1 AS is_first
    FROM spread WINDOW ordered AS (PARTITION BY class ORDER BY position)
), passed AS (
    SELECT stretches.*, least(greatest(coalesce(held.position + 1, 0), begin), until) AS middle
    FROM stretches ASOF LEFT JOIN held ON q >= held.cumulated
)
SELECT max(moved) / {steps} FROM (
    SELECT sum(q * (2 * middle - begin - until) + a.below + c.below - 2 * b.below
               + CASE WHEN is_first THEN a.below ELSE 0 END) AS moved
    FROM passed JOIN ends a ON a.position = begin JOIN ends b ON b.position = middle
    JOIN ends c ON c.position = until GROUP BY class)
"""
_ENDS = """
CREATE OR REPLACE TEMP TABLE ends AS
SELECT position, below FROM held UNION ALL SELECT {values}, (SELECT sum(cumulated) FROM held)
"""


def measured(connection: duckdb.DuckDBPyConnection, names: Sequence[str], keys: int) -> tuple[SensitiveRisk, ...]:
    """Of the tables `counted` and `classes`; recursive c at the least ℓ of all attributes."""
    found = [_measured(connection, i, name, keys) for i, name in enumerate(names)]
    least = min((one.l for one in found), default=0)
    if least < 2:
        return tuple(found)
    recursive: list[SensitiveRisk] = []
    for i, one in enumerate(found):
        if len(found) > 1:
            _prepare(connection, i, keys)
        recursive.append(_recursive(connection, one, least))
    return tuple(recursive)


def _measured(connection: duckdb.DuckDBPyConnection, i: int, name: str, keys: int) -> SensitiveRisk:
    _prepare(connection, i, keys)
    classes, l, entropy, alpha, t, beta, delta = one_row(connection, _WORST)
    (every,) = one_row(connection, "SELECT count(*) FROM classes")
    values, rarest = one_row(connection, "SELECT count(*), min(share) FROM held")
    if not values:
        return SensitiveRisk(
            name=name, alpha=1.0, l=0, entropy_l=1.0, recursive_c=None, rarest_first_c=None, t=1.0,
            t_ordered=None, beta=0.0, enhanced_beta=0.0, delta=0.0,
        )  # fmt: skip
    if classes < every:
        # Whose cells are all empty has no value at all: nothing is less diverse.
        l, entropy, t = 0, 0.0, 1.0
    return SensitiveRisk(
        name=name, alpha=alpha, l=l, entropy_l=math.exp(entropy), recursive_c=None, rarest_first_c=None, t=t,
        t_ordered=_ordered(connection, i, values), beta=beta, enhanced_beta=min(beta, -math.log(rarest)),
        delta=delta,
    )  # fmt: skip


def _prepare(connection: duckdb.DuckDBPyConnection, i: int, keys: int) -> None:
    alike = " AND ".join(f"counted.q{k} IS NOT DISTINCT FROM classes.q{k}" for k in range(keys))
    connection.execute(_VALUES.format(i=i))
    connection.execute(_SPREAD.format(i=i, alike=alike))


def _ordered(connection: duckdb.DuckDBPyConnection, i: int, values: int) -> float | None:
    (kind,) = one_row(connection, f"SELECT typeof(s{i}) FROM counted LIMIT 1")
    if kind.startswith(_UNORDERED):
        return None
    if values < 2:
        return 0.0
    connection.execute(_ENDS.format(values=values))
    (moved,) = one_row(connection, _ORDERED.format(values=values, steps=values - 1))
    return float(moved)


def _recursive(connection: duckdb.DuckDBPyConnection, found: SensitiveRisk, l: int) -> SensitiveRisk:
    c, rarest_first = one_row(connection, _RECURSIVE.format(fewer=l - 1))
    return replace(found, recursive_c=c, rarest_first_c=rarest_first)


def one_row(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[Any, ...]:
    """Of a query that gives one row. Fetched to its end: else the engine holds on to it."""
    (found,) = connection.execute(sql).fetchall()
    row: tuple[Any, ...] = found
    return row
