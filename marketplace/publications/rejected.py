"""Rows of an owner's file that could not be read: where each stands and why, as CSV; never what stands in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final
from uuid import UUID

from pyarrow import parquet
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from catalog.wire import REJECTED_PLAIN
from marketplace.accounts.callers import Caller
from marketplace.errors import Forbidden, NotFound
from marketplace.listings.reads import dataset_id_of, listed_version
from marketplace.publications.files import folder_of
from marketplace.publications.models import PublicationRow

BATCH_ROWS: Final = 20_000
NAME: Final = "rejected.parquet"
_RUN = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would run as a formula: a header of the owner's file may begin so."""


async def rejected_in_publication(session: AsyncSession, store: Store, publication_id: UUID, by: Caller) -> Path:
    """Its list, once a version was made, listed or not. Raises NotFound, Forbidden."""
    row = await session.get(PublicationRow, publication_id)
    if row is None or row.organisation_id != by.organisation_id:
        raise NotFound
    _require_office(by)
    waiting = folder_of(store, publication_id) / "measure" / "private" / NAME
    if waiting.exists():
        return waiting
    return _there(store.private(row.version_id) / NAME if row.version_id else waiting)


async def rejected_in_dataset(session: AsyncSession, store: Store, dataset: str, by: Caller) -> Path:
    """That of the version that is listed. Raises NotFound, Forbidden."""
    dataset_id = await dataset_id_of(session, dataset, owner_id=by.organisation_id)
    listed = await listed_version(session, dataset_id) if dataset_id is not None else None
    if listed is None:
        raise NotFound
    _require_office(by)
    return _there(store.private(listed.version.id) / NAME)


def as_csv(path: Path) -> Iterator[bytes]:
    """RFC 4180 in pieces: file (from 1), row (as lines count, from 1), column (empty: the whole row), reason."""
    with parquet.ParquetFile(path) as file:
        yield _lines([REJECTED_PLAIN.names])
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
            yield _lines([(number, row, _safe(column), reason) for number, row, column, reason in rows])


def _require_office(by: Caller) -> None:
    by.require("read")
    if by.organisation_kind != "owner" or not {"steward", "approver"} & set(by.roles):
        raise Forbidden(needs="owner:steward")


def _there(path: Path) -> Path:
    """None was rejected: there is no list."""
    if not path.exists():
        raise NotFound
    return path


def _safe(name: str) -> str:
    return "'" + name if name.startswith(_RUN) else name


def _lines(rows: Sequence[Sequence[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
