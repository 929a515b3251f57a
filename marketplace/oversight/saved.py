"""Searches that the regulator's readers keep, each for herself or for all readers of the organisation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Reader
from marketplace.audit.actions import record
from marketplace.db.base import new_id
from marketplace.errors import NotFound
from marketplace.oversight.errors import NameTaken
from marketplace.oversight.models import SavedSearch
from marketplace.oversight.search import Search, require_known

NAME_CHARACTERS = 100


class NewSearch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=NAME_CHARACTERS)]
    search: Search
    shared: bool = False


class SearchView(Struct, frozen=True, kw_only=True):
    """`mine`: whoever asks made it, and may remove it."""

    id: UUID
    name: str
    search: Search
    shared: bool
    mine: bool
    created_at: datetime


class SearchList(Struct, frozen=True):
    items: tuple[SearchView, ...]


async def save_search(session: AsyncSession, *, asked: NewSearch, by: Reader) -> UUID:
    """Its id. Raises Invalid, NameTaken."""
    require_known(asked.search)
    row = {
        "id": new_id(), "organisation_id": by.organisation_id, "person_id": by.person_id, "name": asked.name,
        "shared": asked.shared, "search": msgspec.to_builtins(asked.search),
    }  # fmt: skip
    made = insert(SavedSearch).values(row).on_conflict_do_nothing().returning(SavedSearch.id)
    search_id = await session.scalar(made)
    if search_id is None:
        raise NameTaken(name=asked.name)
    body = {"search": search_id, "shared": asked.shared, "filter": asked.search.told}
    await _record(session, "search:save", by, body, {"name": asked.name, **asked.search.secrets})
    return search_id


async def remove_search(session: AsyncSession, *, search_id: UUID, by: Reader) -> None:
    """Raises NotFound, also for another reader's."""
    row = await session.get(SavedSearch, search_id)
    if row is None or row.person_id != by.person_id:
        raise NotFound
    await session.delete(row)
    await session.flush()
    await _record(session, "search:remove", by, {"search": search_id}, {"name": row.name})


async def saved_searches(session: AsyncSession, reader: Caller) -> SearchList:
    """The reader's own and those shared with her, by name."""
    hers = SavedSearch.person_id == reader.person_id
    rows = await session.scalars(
        select(SavedSearch)
        .where(SavedSearch.organisation_id == reader.organisation_id, or_(hers, SavedSearch.shared))
        .order_by(SavedSearch.name, SavedSearch.id)
    )
    return SearchList(
        tuple(
            SearchView(
                id=row.id,
                name=row.name,
                search=msgspec.convert(row.search, Search),
                shared=row.shared,
                mine=row.person_id == reader.person_id,
                created_at=row.created_at,
            )
            for row in rows
        )
    )


async def _record(
    session: AsyncSession, name: str, by: Reader, body: dict[str, object], secrets: dict[str, str]
) -> None:
    await record(
        session,
        name,
        by=by,
        parties=(by.organisation_id,),
        body=body,
        secrets=secrets,
    )
