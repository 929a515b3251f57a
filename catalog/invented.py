"""Rows of a dp dataset that nobody is: drawn from what its manifest declares, without a look at the data."""

from __future__ import annotations

import hashlib
import random
from typing import Any, Final

from catalog.manifest import Manifest, ManifestColumn

ROWS: Final = 20


def invented_rows(manifest: Manifest) -> list[dict[str, Any]]:
    """ROWS rows, the same for the same manifest. A column of which nothing is declared is None in all of them."""
    seed = hashlib.sha256(repr([(c.sql_name, c.bounds, c.values) for c in manifest.columns]).encode()).digest()
    drawing = random.Random(seed)  # noqa: S311 (nothing is hidden by it)
    columns = manifest.shown_columns()
    return [{c.sql_name: _drawn(c, drawing) for c in columns} for _ in range(ROWS)]


def _drawn(column: ManifestColumn, drawing: random.Random) -> str | float | bool | None:
    if column.values is not None:
        return drawing.choice(column.values)
    if column.bounds is not None:
        steps = drawing.randint(*column.bounds.steps)
        return (
            int(steps * column.bounds.step) if column.type == "integer" else round(steps * column.bounds.step, 9)
        )
    return drawing.random() < 0.5 if column.type == "boolean" else None
