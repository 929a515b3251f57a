"""dp mode, in the broker: the jail's exact aggregates in, noisy figures with their 95% intervals out.

The jail's word is only data: what no honest one could say ends the query. ρ is split evenly over the measures, and
every figure is computed from noisy measures alone, so nothing that is done with them costs more.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from sandbox.disclosure.dp import Figure, Key, Release
from sandbox.disclosure.figures import Interval, Noisy, figure_of, margin_of_figure
from sandbox.disclosure.noise import Budget, noised, scale_of, threshold_of
from sandbox.disclosure.room import fewest, presence_at
from sandbox.isolation.answer import arrow_type
from sandbox.job import OutputColumn, SandboxFailed

Cell = tuple[Any, ...]


def released(
    release: Release, output: Sequence[OutputColumn], stream: bytes, budget: Budget, persons_at_most: int
) -> tuple[bytes, int]:
    """The answer as an Arrow stream, and its rows. SandboxFailed (invalid_result) for what no honest jail says."""
    cells = _cells(release, pa.ipc.open_stream(stream).read_all(), persons_at_most)
    cells = _declared(release.keys, cells, release.width)
    rho = budget.rho / len(release.measures)
    noisy = _with_noise(release, cells, rho)
    least = threshold(release, budget, persons_at_most)
    if release.presence is not None and least is not None:
        noisy = [cell for cell in noisy if cell[1][release.presence].values[0] >= least]
    # By the keys, which are shown, and not in the order in which the jail found them.
    noisy.sort(key=lambda cell: tuple((value is None, value) for value in cell[0]))
    rows = [_row(release.figures, key, measures) for key, measures in noisy]
    return _written(_in_order(release, rows), output)


def _cells(release: Release, table: pa.Table, most: int) -> dict[Cell, list[int]]:
    """Measures by key. Whatever is not what counts and sums of at most `most` records can be is refused."""
    keys = len(release.keys)
    found: dict[Cell, list[int]] = {}
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        key, values = row[:keys], list(row[keys:])
        if key in found or any(value is None for value in values):
            raise _dishonest()
        found[key] = values
    least = fewest(release, most)
    if least > 1 and any(values[presence_at(release)] < least for values in found.values()):
        raise _dishonest()
    if not keys and len(found) != 1:
        raise _dishonest()
    place = 0
    for measure in release.measures:
        for offset in range(place, place + measure.width):
            column = [values[offset] for values in found.values()]
            least = 0 if measure.kind in ("count", "bands", "squares") else -most * measure.sensitivity
            if any(not least <= value <= most * measure.sensitivity for value in column):
                raise _dishonest()
            if least == 0 and sum(column) > most * measure.sensitivity:
                raise _dishonest()
        place += measure.width
    return found


def _dishonest() -> SandboxFailed:
    return SandboxFailed("sandbox.invalid_result", entered=True)


def _declared(keys: tuple[Key, ...], cells: dict[Cell, list[int]], width: int) -> dict[Cell, list[int]]:
    """With declared keys every cell, the empty ones too, and no other."""
    domains = [(*key.domain, None) for key in keys if key.domain is not None]
    if len(domains) < len(keys):
        return cells
    every: dict[Cell, list[int]] = {key: [0] * width for key in itertools.product(*domains)}
    if not cells.keys() <= every.keys():
        raise _dishonest()
    return every | cells


def _with_noise(release: Release, cells: dict[Cell, list[int]], rho: float) -> list[tuple[Cell, list[Noisy]]]:
    """One vector a measure over all groups: a record is in one group, so the whole costs ρ once."""
    keys = list(cells)
    noisy: list[list[Noisy]] = [[] for _ in keys]
    place = 0
    for measure in release.measures:
        exact = [value for key in keys for value in cells[key][place : place + measure.width]]
        values = noised(exact, sensitivity=measure.sensitivity, rho=rho)
        scale = scale_of(measure.sensitivity, rho)
        for index in range(len(keys)):
            mine = values[index * measure.width : (index + 1) * measure.width]
            noisy[index].append(Noisy(values=tuple(mine), scale=scale))
        place += measure.width
    return list(zip(keys, noisy, strict=True))


def _row(figures: Sequence[Figure], key: Cell, measures: Sequence[Noisy]) -> list[Any]:
    row: list[Any] = []
    for figure in figures:
        if figure.kind == "key":
            row.append(key[figure.sources[0]])
            continue
        found: Interval = figure_of(figure, [measures[source] for source in figure.sources])
        row.extend((found.value, found.low, found.high))
    return row


def _in_order(release: Release, rows: list[list[Any]]) -> list[list[Any]]:
    for column, descending, nulls_first in reversed(release.order):
        some = [row for row in rows if row[column] is not None]
        none = [row for row in rows if row[column] is None]
        some.sort(key=lambda row: row[column], reverse=descending)
        rows = none + some if nulls_first else some + none
    begin = release.offset or 0
    return rows[begin : begin + release.limit] if release.limit is not None else rows[begin:]


def _written(rows: list[list[Any]], output: Sequence[OutputColumn]) -> tuple[bytes, int]:
    columns = [[row[index] for row in rows] for index in range(len(output))]
    arrays = [pa.array(values, arrow_type(c.type)) for values, c in zip(columns, output, strict=True)]
    table = pa.Table.from_arrays(arrays, names=[c.name for c in output])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    data: bytes = sink.getvalue().to_pybytes()
    return data, len(rows)


def margins(release: Release, rho: float) -> list[tuple[int, float]]:
    """Half the width of 95% intervals, where it does not depend on the data: of counts and sums, by column."""
    each = rho / len(release.measures)
    found: list[tuple[int, float]] = []
    place = 0
    for figure in release.figures:
        if figure.kind in ("count", "sum"):
            scales = [scale_of(release.measures[source].sensitivity, each) for source in figure.sources]
            found.append((place, margin_of_figure(figure, scales)))
        place += 1 if figure.kind == "key" else 3
    return found


def threshold(release: Release, budget: Budget, persons_at_most: int) -> int | None:
    """From which noisy count on a group is shown; None where its keys are declared."""
    if release.presence is None:
        return None
    return threshold_of(budget.rho / len(release.measures), budget.delta, fewest(release, persons_at_most))
