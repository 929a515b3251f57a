"""A part without some of its cohorts: written beside, hashed, then put in place in one step."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from catalog.cohorts import Ints

ROW_GROUP_ROWS = 131_072


def part_hash(path: Path) -> str:
    """SHA-256 (hex) of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def rewrite(original: Path, target: Path, gone: Ints) -> None:
    """Write `target` (and its .sha256) as `original` without the rows `gone` (begin, end). May leave none.

    With statistics where it has some (`persons` says why not everywhere)."""
    # Texts stay the dictionaries that they are in the file: less than half the work.
    texts = [field.name for field in parquet.read_schema(original) if pa.types.is_string(field.type)]
    table = parquet.read_table(original, read_dictionary=texts)
    keep = np.ones(table.num_rows, dtype=bool)
    for begin, end in gone:
        keep[begin:end] = False
    kept = table.filter(pa.array(keep))
    descriptor, name = tempfile.mkstemp(dir=target.parent, suffix=".part")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            parquet.write_table(
                kept, file, compression="zstd", row_group_size=ROW_GROUP_ROWS, store_schema=False,
                write_statistics=_has_statistics(original),
            )  # fmt: skip
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o444)
        _write_atomically(target.with_suffix(".sha256"), part_hash(temporary))
        temporary.rename(target)
    finally:
        temporary.unlink(missing_ok=True)


def _has_statistics(part: Path) -> bool:
    said = parquet.read_metadata(part)
    groups = (said.row_group(index) for index in range(said.num_row_groups))
    return any(group.column(place).is_stats_set for group in groups for place in range(said.num_columns))


def _write_atomically(path: Path, text: str) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, suffix=".part")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).rename(path)
