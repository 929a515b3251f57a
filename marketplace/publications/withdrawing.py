"""Taking back the version that is listed: it can be asked no more, and everybody with an agreement is told."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver
from marketplace.audit.actions import record
from marketplace.db.locks import lock_version
from marketplace.errors import NotFound
from marketplace.listings.models import Dataset
from marketplace.listings.reads import is_named
from marketplace.listings.searched import index_dataset
from marketplace.publications.errors import NotListed
from marketplace.publications.models import VersionWithdrawal
from marketplace.publications.schemas import WithdrawalBody

BARS_ANSWERS: Final = ("privacy", "unlawful", "consent")
"""Reasons for which answers made of the version may not be fetched any more either."""
_IN_FORCE = text("""
select id, startup_id from agreement where dataset_id = :dataset and ended_at is null and expires_at > :at
order by id
""")


async def withdraw(
    session: AsyncSession, *, dataset: str, body: WithdrawalBody, by: Approver, at: datetime
) -> VersionWithdrawal:
    """The dataset shows nothing until its owner publishes the next version; its lineage goes on from this one.

    Queries that run are voided at settle, free of charge. Agreements stand, and can ask nothing meanwhile. The
    earlier version does not come back: only the newest of a lineage can be asked. Raises NotFound, NotListed.
    """
    rows = select(Dataset).where(is_named(dataset), Dataset.owner_id == by.organisation_id)
    found = await session.scalar(rows.with_for_update(key_share=True))
    if found is None or found.linkage_id is not None:
        raise NotFound
    if found.current_version_id != body.version_id:
        raise NotListed(version_id=body.version_id)
    await lock_version(session, body.version_id, shared=False)
    found.current_version_id = None
    taken = VersionWithdrawal(
        version_id=body.version_id, dataset_id=found.id, reason=body.reason, note=body.note,
        bars_answers=body.reason in BARS_ANSWERS, withdrawn_by=by.person_id, withdrawn_at=at,
    )  # fmt: skip
    session.add(taken)
    await session.flush()
    await index_dataset(session, found.id)
    told = (await session.execute(_IN_FORCE, {"dataset": found.id, "at": at})).all()
    await record(
        session,
        "version:withdraw",
        by=by,
        parties={by.organisation_id, *(row.startup_id for row in told)},
        dataset_id=found.id,
        version_id=body.version_id,
        body={"reason": body.reason, "note": body.note, "agreements": len(told)},
    )
    return taken
