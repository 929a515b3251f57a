"""A question to begin with."""

from __future__ import annotations

from collections.abc import Collection

from catalog.version import Version


def first_question(version: Version | None, columns: Collection[str]) -> str:
    """How many persons by the first dimension of `columns`; empty where nothing is listed."""
    if version is None:
        return ""
    usable = (c.name for c in version.columns if c.role != "measure" and c.name in columns)
    dimension = next(usable, None)
    if dimension is None:
        return f"SELECT count(*) AS persons\nFROM {version.dataset}"
    counted = f"SELECT {dimension}, count(*) AS persons\nFROM {version.dataset}"
    return f"{counted}\nGROUP BY {dimension}\nORDER BY persons DESC"
