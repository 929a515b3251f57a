"""Who sends a file for an owner, and what the log says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record


class Sender(Struct, frozen=True, kw_only=True):
    """A person of an organisation; `via`: api, cli or page. `beside`: others whose matter it is too."""

    person_id: UUID
    organisation_id: UUID
    via: str = "api"
    beside: tuple[UUID, ...] = ()


async def record_sent(
    session: AsyncSession,
    name: str,
    by: Sender,
    *,
    dataset_id: UUID | None,
    body: Mapping[str, Any],
    version_id: str | None = None,
    secrets: Mapping[str, str] | None = None,
) -> UUID:
    """An event that the sender's organisation, and those beside it, may read; gives its id."""
    return await record(
        session,
        name,
        by=by,
        parties=(by.organisation_id, *by.beside),
        dataset_id=dataset_id,
        version_id=version_id,
        body=body,
        secrets=secrets or {},
    )
