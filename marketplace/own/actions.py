"""Verbs on a startup's own tables, in the caller's unit of work; their files come before and go after it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.own import OwnData
from marketplace.accounts.callers import Analyst
from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.errors import NotFound
from marketplace.own.errors import NoRoom, TableNameTaken, TableNameWrong
from marketplace.own.models import OwnTable

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_ALONE = text("select pg_advisory_xact_lock(hashtextextended('own_table ' || cast(:organisation as text), 0))")
_ROOM = text("""
    select count(*) as tables, coalesce(sum(bytes), 0)::bigint as bytes,
           coalesce(bool_or(name = :name), false) or exists (select from dataset where slug = :name) as taken
    from own_table where organisation_id = :organisation
""")
_REMOVE = text("""
    delete from own_table where id = :id and organisation_id = :organisation returning id, name, rows, bytes
""")
_ABANDONED = text("""
    delete from own_table t using organisation o where o.id = t.organisation_id and o.suspended_at <= :since
    returning t.id, t.name, t.organisation_id
""")


def check_name(name: str) -> None:
    """Raises TableNameWrong."""
    if not _NAME.fullmatch(name):
        raise TableNameWrong(errors=[{"path": "name", "code": "table.name_wrong", "params": {}}])


async def require_room(session: AsyncSession, *, organisation_id: UUID, name: str, config: Config) -> int:
    """How many bytes more the organisation may keep, its turn until this unit of work ends.

    Raises TableNameTaken, NoRoom.
    """
    await session.execute(_ALONE, {"organisation": organisation_id})
    found = (await session.execute(_ROOM, {"organisation": organisation_id, "name": name})).one()
    if found.taken:
        raise TableNameTaken(name=name)
    left = config.own_tables_max_bytes - int(found.bytes)
    if found.tables >= config.own_tables_max_count or left <= 0:
        raise _no_room(config)
    return left


async def add_table(
    session: AsyncSession,
    *,
    table_id: UUID,
    name: str,
    data: OwnData,
    wrapped_key: bytes,
    by: Analyst,
    config: Config,
) -> None:
    """The row of a file that is there. Raises TableNameTaken, NoRoom."""
    size = len(data.body)
    if size > await require_room(session, organisation_id=by.organisation_id, name=name, config=config):
        raise _no_room(config)
    columns = [{"name": column.name, "type": column.type} for column in data.columns]
    row = OwnTable(
        id=table_id, organisation_id=by.organisation_id, name=name, columns=columns, rows=data.rows, bytes=size,
        wrapped_key=wrapped_key, added_by=by.person_id,
    )  # fmt: skip
    session.add(row)
    await session.flush()
    about = {"table": table_id, "name": name, "rows": data.rows, "bytes": size, "columns": columns}
    await _logged(session, "table:add", by, msgspec.to_builtins(about))


async def remove_table(session: AsyncSession, *, table_id: UUID, by: Analyst) -> None:
    """Without its key nobody can read the file any more. Raises NotFound."""
    found = await session.execute(_REMOVE, {"id": table_id, "organisation": by.organisation_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound(what="table")
    await _logged(session, "table:remove", by, {"table": str(table_id), "name": row.name})


async def remove_abandoned(session: AsyncSession, *, at: datetime, config: Config) -> int:
    """Those of organisations that are suspended for good; how many."""
    since = at - timedelta(days=config.own_tables_suspended_days)
    rows = (await session.execute(_ABANDONED, {"since": since})).all()
    for row in rows:
        about = {"table": str(row.id), "name": row.name, "days": config.own_tables_suspended_days}
        await record(session, "table:expire", parties=(row.organisation_id,), body=about)
    return len(rows)


async def _logged(session: AsyncSession, name: str, by: Analyst, body: dict[str, Any]) -> None:
    await record(
        session,
        name,
        by=by,
        parties=(by.organisation_id,),
        body=body,
    )


def _no_room(config: Config) -> NoRoom:
    return NoRoom(max_count=config.own_tables_max_count, max_bytes=config.own_tables_max_bytes)
