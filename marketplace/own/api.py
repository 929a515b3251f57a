"""`/api/v1/tables`: a startup's own tables."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from litestar import Request, delete, get, post
from litestar.status_codes import HTTP_204_NO_CONTENT
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Analyst, Startup
from marketplace.accounts.seats import Seats
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.listings.uploads import receive
from marketplace.own import reads
from marketplace.own.actions import remove_table
from marketplace.own.adding import take_in, vault_of
from marketplace.own.openapi import TableBody
from marketplace.own.schemas import TableList, TableView
from marketplace.parameters import IdempotencyKey


@post("/api/v1/tables", operation_class=TableBody, request_max_body_size=None)
async def post_table(
    request: Request[Any, Any, Any],
    config: Config,
    database: Database,
    keys: Keys,
    analyst: Analyst,
    table_uploads: Seats,
    idempotency_key: IdempotencyKey = None,
) -> TableView:
    """Take a table of the startup's own in: multipart `name` and `file` (CSV or Parquet)."""
    analyst.require("query")
    folder = config.path("uploads")
    with table_uploads.take(analyst.organisation_id):
        async with receive(request, folder=folder, max_bytes=config.own_table_max_bytes, text="name") as upload:
            table_id = await take_in(
                database, keys, config, name=upload.text, source=upload.source, by=analyst, key=idempotency_key
            )
    async with database.reading() as session:
        return await reads.table(session, organisation_id=analyst.organisation_id, table_id=table_id)


@get("/api/v1/tables")
async def list_tables(startup: Startup, session: AsyncSession) -> TableList:
    """The organisation's own tables, by name."""
    startup.require("read")
    return await reads.tables(session, organisation_id=startup.organisation_id)


@delete("/api/v1/tables/{table_id:uuid}", status_code=HTTP_204_NO_CONTENT)
async def delete_table(table_id: UUID, analyst: Analyst, config: Config, database: Database, keys: Keys) -> None:
    """Remove one of the organisation's own tables; nobody can read its file from then on."""
    analyst.require("query")
    async with database.session() as session:
        await remove_table(session, table_id=table_id, by=analyst)
    await asyncio.to_thread(vault_of(config, keys).drop, table_id)


handlers = [post_table, list_tables, delete_table]
