"""The generated rows as a file, and its hash, which Croissant wants."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

import msgspec

from catalog.metadata.described import Described

MEDIA_TYPE: Final = "text/csv"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def sample_csv(described: Described) -> bytes:
    """RFC 4180 with a header, UTF-8; an apostrophe before a text that a spreadsheet would run."""
    names = [column.name for column in described.version.columns]
    written = io.StringIO(newline="")
    writer = csv.writer(written)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in described.sample)
    return written.getvalue().encode("utf-8", errors="replace")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return msgspec.json.encode(value).decode()
