"""What a publication may cost: time, memory, bytes. One place, units in the names."""

from __future__ import annotations

from msgspec import Struct


class IngestLimits(Struct, frozen=True, kw_only=True):
    """Bounds of each jail of a publication, and of the file that is read."""

    deadline_ms: int = 600_000
    memory_bytes: int = 4 * 1024**3
    max_rows: int = 50_000_000
    max_bytes: int = 32 * 1024**3
    """Of the file after decompression."""
    max_row_group_bytes: int = 1024**3
    """Of a Parquet row group, uncompressed, as its footer says."""
    max_output_bytes: int = 32 * 1024**3
    part_rows: int = 1_000_000
    row_group_rows: int = 131_072
    threads: int = 2
