"""Own tables, for whoever owns them; nobody else learns that there are any."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import ms_of
from marketplace.errors import NotFound
from marketplace.own.models import OwnTable
from marketplace.own.schemas import OwnColumn, TableList, TableView

OWN = """
    (select jsonb_agg(jsonb_build_object('id', t.id, 'name', t.name, 'columns', t.columns, 'rows', t.rows,
            'wrapped_key', replace(encode(t.wrapped_key, 'base64'), chr(10), '')) order by t.name)
     from own_table t where t.organisation_id = a.startup_id)
"""
"""Of the startup of a row `a` of agreement, as JSON of OwnSchema; null where it has none."""


async def tables(session: AsyncSession, *, organisation_id: UUID) -> TableList:
    """All that the organisation has."""
    mine = select(OwnTable).where(OwnTable.organisation_id == organisation_id).order_by(OwnTable.name)
    return TableList(items=tuple(_view(row) for row in await session.scalars(mine)))


async def table(session: AsyncSession, *, organisation_id: UUID, table_id: UUID) -> TableView:
    """One of the organisation's. Raises NotFound."""
    row = await session.get(OwnTable, table_id)
    if row is None or row.organisation_id != organisation_id:
        raise NotFound(what="table")
    return _view(row)


def _view(row: OwnTable) -> TableView:
    return TableView(
        id=row.id,
        name=row.name,
        columns=msgspec.convert(row.columns, tuple[OwnColumn, ...]),
        rows=row.rows,
        bytes=row.bytes,
        added_at=ms_of(row.added_at),
    )
