"""A startup's own tables: what there are, sending one, removing one."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Analyst, Startup
from marketplace.accounts.seats import Seats
from marketplace.config import Config
from marketplace.consents.uploads import saved
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Problem
from marketplace.own import reads
from marketplace.own.actions import remove_table
from marketplace.own.adding import take_in, vault_of
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, chunks_of
from marketplace.web.view import View

PAGE_FILE_BYTES: Final = 32_000_000
"""A browser's form is kept whole before anybody reads it; larger files go by API or command, which stream."""
ENVELOPE_BYTES: Final = 64 * 1024


@get("/tables")
async def show_tables(view: View, startup: Startup, session: AsyncSession) -> Template:
    """All that the organisation has, and the form for another."""
    startup.require("read")
    return await _page(view, startup, session)


@post("/tables", status_code=200, request_max_body_size=PAGE_FILE_BYTES + ENVELOPE_BYTES)
async def send_table(
    view: View, analyst: Analyst, config: Config, database: Database, keys: Keys, table_uploads: Seats, form: Form
) -> Template | Redirect:
    """Take one in; with a mistake, the form again. The hidden key makes a second press the same table."""
    analyst.require("query")
    name, key = form.text("name").strip(), form.text("key") or None
    try:
        with table_uploads.take(analyst.organisation_id):
            chunks = chunks_of(form.file("file"))
            async with saved(chunks, folder=config.path("uploads"), max_bytes=PAGE_FILE_BYTES) as source:
                await take_in(database, keys, config, name=name, source=source, by=analyst, key=key)
    except Problem as problem:
        async with database.reading() as session:
            return await _page(view, analyst, session, problem=problem, name=name)
    return Redirect("/tables?done=table_added", status_code=303)


@post("/tables/{table_id:uuid}/remove", status_code=303)
async def end_table(view: View, analyst: Analyst, config: Config, database: Database, keys: Keys,
                    table_id: UUID) -> Redirect:  # fmt: skip
    """Remove one; the next query does not find it."""
    analyst.require("query")
    async with database.session() as session:
        await remove_table(session, table_id=table_id, by=analyst)
    await asyncio.to_thread(vault_of(config, keys).drop, table_id)
    return Redirect("/tables?done=table_removed", status_code=303)


async def _page(
    view: View, startup: Startup, session: AsyncSession, *, problem: Problem | None = None, name: str = ""
) -> Template:
    return view.page(
        "tables.html",
        tables=(await reads.tables(session, organisation_id=startup.organisation_id)).items,
        may_change="analyst" in startup.roles and "query" in startup.scopes,
        key=str(new_id()),
        name=name,
        max_bytes=PAGE_FILE_BYTES,
        **what_is_wrong(view, problem),
    )


handlers = [show_tables, send_table, end_table]
