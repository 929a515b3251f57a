"""Rows looked at one after the other, however many: read in pages, and none keeps the others from their turn."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause

from marketplace.db.engine import Database
from marketplace.errors import Unavailable

logger = logging.getLogger(__name__)

PAGE_ROWS = 100
_FIRST: Mapping[str, object] = {"after_at": datetime.min.replace(tzinfo=UTC), "after_id": str(UUID(int=0))}


async def over_all(
    database: Database, sql: TextClause, parameters: Mapping[str, Any], look: Callable[[Any], Awaitable[int]]
) -> int:
    """The sum of what `look` says of each row.

    `sql` gives `key_at` and `key_id`, in their order, from after (`:after_at`, `:after_id`), at most `:page_rows`.
    A row that fails is told in the log and passed over. Raises Unavailable.
    """
    made, after = 0, _FIRST
    while True:
        page = await database.all(sql, {**parameters, **after, "page_rows": PAGE_ROWS})
        for row in page:
            made += await _guarded(look, row)
        if len(page) < PAGE_ROWS:
            return made
        after = {"after_at": page[-1].key_at, "after_id": str(page[-1].key_id)}


async def _guarded(look: Callable[[Any], Awaitable[int]], row: Any) -> int:
    try:
        return await look(row)
    except Unavailable:
        raise
    except Exception:
        logger.exception("the quality of %s is not looked at", row.key_id)
        return 0
