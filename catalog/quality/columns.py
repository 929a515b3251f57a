"""Which columns a suite can speak of: those that describe persons, as they are before anything is made coarser."""

from __future__ import annotations

from catalog.manifest import Manifest
from catalog.quality.wire import CheckedColumn
from catalog.reading import STORED_TYPE


def checked_columns(manifest: Manifest) -> tuple[CheckedColumn, ...]:
    """By their names in SQL. Identifiers are not among them: they are hashed or dropped while the file is read."""
    return tuple(
        CheckedColumn(name=c.sql_name, type=STORED_TYPE[c.type])
        for c in manifest.columns_of("quasi-identifier", "sensitive", "measure")
    )
