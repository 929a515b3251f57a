"""Logical bytes: what a column weighs uncompressed, so that its price does not hang on the compressor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
from pyarrow import compute

from sandbox.job import LEVEL

TEXT_LENGTH_BYTES: Final = 4


def logical_bytes(
    table: pa.Table, measures: Sequence[str], pairs: Sequence[tuple[str, str]] = ()
) -> dict[str, int]:
    """Bytes of each column that SQL may name, over all records of the files.

    BOOLEAN 1, DATE 4, BIGINT, DOUBLE and TIMESTAMP 8 a record, empty or not; VARCHAR 4 a record and its UTF-8
    bytes. A measure weighs its three columns (24 a record), and 8 a record for each declared pair that it is in.
    `n`, which count(*) reads, and the cohort's level are in the base price: 0.
    """
    sizes = {name: _weight(table.column(name)) for name in table.column_names}
    held = {m: [f"{m}__{part}" for part in ("count", "sum", "sumsq")] for m in measures}
    for pair in pairs:
        for measure in pair:
            held[measure].append("__".join((*pair, "sumxy")))
    hidden = {name for names in held.values() for name in names} | {"n", LEVEL}
    shown = {name: size for name, size in sizes.items() if name not in hidden}
    return shown | {m: sum(sizes[name] for name in names) for m, names in held.items()}


def _weight(column: pa.ChunkedArray) -> int:
    if pa.types.is_string(column.type):
        return TEXT_LENGTH_BYTES * len(column) + (compute.sum(compute.binary_length(column)).as_py() or 0)
    bits = 8 if pa.types.is_boolean(column.type) else column.type.bit_width
    return len(column) * bits // 8
