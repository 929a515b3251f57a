"""Writes registers as Parquet parts, a batch at a time, with errors planted and told in a file beside them."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from msgspec import Struct
from pyarrow import compute, parquet

from catalog.registers.population import PERSONS, Ints, Population
from catalog.registers.registers import REGISTERS, Columns, Register

SEED: Final = 20_260_101
ERROR_SHARES: Final = {"date": 0.0004, "code": 0.0003, "duplicate": 0.0003}
"""Of rows: a date of 1753 or 2099; an office that does not exist; the number of the row before."""
IMPOSSIBLE_CODE: Final = 99
_BATCH_ROWS: Final = 262_144
_PART_ROWS: Final = 40 * _BATCH_ROWS
_ERROR_SALT: Final = 900
_IMPOSSIBLE_DATES: Final = ("1753-01-01", "2099-12-31")
_MANIFESTS: Final = Path(__file__).parent / "manifests"


class Written(Struct, frozen=True, kw_only=True):
    """One register on disk. `errors`: kind → how many were planted."""

    name: str
    folder: Path
    parts: tuple[Path, ...]
    rows: int
    errors: dict[str, int]


def write_registers(
    folder: Path, *, scale: float, seed: int = SEED, names: tuple[str, ...] = ()
) -> Iterator[Written]:
    """Each register (or those named) into a folder of its own, as soon as it is whole: parts, manifest, truth.csv.

    The same seed and scale give the same bytes; memory does not grow with the scale.
    """
    population = Population(persons=max(1000, math.ceil(PERSONS * scale)), seed=seed)
    for register in REGISTERS:
        if not names or register.name in names:
            yield _write(register, population, max(100, math.ceil(register.rows * scale)), folder / register.name)


def _write(register: Register, population: Population, rows: int, folder: Path) -> Written:
    folder.mkdir(parents=True, exist_ok=True)
    errors = dict.fromkeys(ERROR_SHARES, 0)
    parts: list[Path] = []
    with (folder / "truth.csv").open("w", encoding="utf-8", newline="") as file:
        truth = csv.writer(file, lineterminator="\n")
        truth.writerow(["row", "column", "kind"])
        for begin in range(0, rows, _PART_ROWS):
            part = folder / f"part-{len(parts):05d}.parquet"
            _write_part(part, register, population, (begin, min(begin + _PART_ROWS, rows)), truth, errors)
            parts.append(part)
    manifest = (_MANIFESTS / f"{register.name}.yaml").read_text(encoding="utf-8")
    (folder / "manifest").with_suffix(".yaml").write_text(manifest, encoding="utf-8")
    return Written(name=register.name, folder=folder, parts=tuple(parts), rows=rows, errors=errors)


def _write_part(
    part: Path, register: Register, population: Population, ends: tuple[int, int], truth: Any,
    errors: dict[str, int],
) -> None:  # fmt: skip
    writer: parquet.ParquetWriter | None = None
    try:
        for begin in range(*ends, _BATCH_ROWS):
            rows = np.arange(begin, min(begin + _BATCH_ROWS, ends[1]), dtype=np.int64)
            columns = register.draw(population, begin, len(rows))
            for kind, wrong in _errors(population, register, rows).items():
                column = _plant(register, population, columns, kind, wrong, rows)
                truth.writerows((row, column, kind) for row in rows[wrong].tolist())
                errors[kind] += int(wrong.sum())
            table = pa.table(columns)
            if writer is None:
                writer = parquet.ParquetWriter(part, table.schema, compression="zstd")
            writer.write_table(table)
    finally:
        if writer is not None:
            writer.close()


def _errors(population: Population, register: Register, rows: Ints) -> dict[str, Ints]:
    """Which rows are wrong in which way: one way a row, and the first row is right."""
    drawn = population.shares(rows, _ERROR_SALT + [r.name for r in REGISTERS].index(register.name))
    ends = np.cumsum(list(ERROR_SHARES.values()))
    kinds = np.where(rows == 0, len(ends), np.searchsorted(ends, drawn, side="right"))
    return {kind: kinds == i for i, kind in enumerate(ERROR_SHARES)}


def _plant(
    register: Register, population: Population, columns: Columns, kind: str, wrong: Ints, rows: Ints
) -> str:
    """The column that is now wrong."""
    if kind == "date":
        name, dates = register.date, np.array(_IMPOSSIBLE_DATES, "datetime64[D]")
        bad = pa.array(dates[rows % 2])
    elif kind == "code":
        name, bad = register.code, pa.scalar(IMPOSSIBLE_CODE, pa.int64())
    else:
        name = register.document
        before = register.draw(population, int(rows[0]) - 1, 1)[name] if rows[0] else columns[name][:1]
        bad = pa.concat_arrays([before, columns[name][:-1]])
    columns[name] = compute.if_else(pa.array(wrong), bad, columns[name])
    return name
