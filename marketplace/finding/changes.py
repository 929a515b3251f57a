"""What is different from one version of a dataset to the next: columns, rows, persons, k, transforms."""

from __future__ import annotations

import uuid
from datetime import datetime
from itertools import pairwise

import msgspec
from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.version import Version, VersionColumn
from marketplace.listings.models import DatasetVersion

VERSIONS = 21
"""The newest, compared each with the one before it."""


class ColumnChange(Struct, frozen=True, kw_only=True):
    """`field`: added | removed | type | role | transform; `before` and `after` of the latter three."""

    name: str
    field: str
    before: str = ""
    after: str = ""


class VersionChange(Struct, frozen=True, kw_only=True):
    """From version `number` - 1 to `number`, as both were released; rows, persons and k are differences."""

    number: int
    released_at: datetime
    rows: int
    persons: int
    k: int
    columns: tuple[ColumnChange, ...]


async def read_changes(session: AsyncSession, dataset_id: uuid.UUID) -> tuple[VersionChange, ...]:
    """The newest first."""
    rows = select(DatasetVersion.number, DatasetVersion.created_at, DatasetVersion.body)
    rows = rows.where(DatasetVersion.dataset_id == dataset_id).order_by(DatasetVersion.number.desc())
    versions = [
        (row.number, row.created_at, msgspec.convert(row.body, Version))
        for row in await session.execute(rows.limit(VERSIONS))
    ]
    return tuple(
        VersionChange(
            number=number,
            released_at=released_at,
            rows=after.rows - before.rows,
            persons=after.persons - before.persons,
            k=after.measured.k - before.measured.k,
            columns=compare(before.columns, after.columns),
        )
        for (number, released_at, after), (_, _, before) in pairwise(versions)
    )


def compare(before: tuple[VersionColumn, ...], after: tuple[VersionColumn, ...]) -> tuple[ColumnChange, ...]:
    """Columns by their names, in the order of the newer version; those that went come last."""
    old = {column.name: column for column in before}
    new = {column.name for column in after}
    changes: list[ColumnChange] = []
    for column in after:
        earlier = old.get(column.name)
        if earlier is None:
            changes.append(ColumnChange(name=column.name, field="added"))
            continue
        for field in ("type", "role", "transform"):
            was, now = getattr(earlier, field), getattr(column, field)
            if was != now:
                changes.append(ColumnChange(name=column.name, field=field, before=was, after=now))
    changes += [ColumnChange(name=name, field="removed") for name in old if name not in new]
    return tuple(changes)
