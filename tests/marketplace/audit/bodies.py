"""Bodies of events as tests record them, and events that only tests record."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.facttree import Head
from marketplace.audit.registry import Body, event
from marketplace.audit.settlement import settled_tree
from marketplace.db.together import perform
from marketplace.metering.actions import usage_recorded

USAGE = {
    "rows": 9, "bytes": 8,
}  # fmt: skip


@event("test:event", "a test wrote it; of no dataset's chain")
@event("test:use", "a test wrote it; of its dataset's chain", counted=True)
class Tested(Body, frozen=True):
    n: int | None = None
    half: str | None = None
    text: str | None = None
    said_commitment: str | None = None


def settled(**more: Any) -> dict[str, Any]:
    """The body of a query:settle, whole, with `more` said otherwise."""
    return {
        "decision_id": uuid4(), "decision": {}, "facts": {"root": "00" * 32, "size": 0}, "usage": USAGE,
        "settled": {"root": "00" * 32, "size": 0},
        "columns": [], "outcome": "ready", "failure": None, "result_sha256": "cd" * 32,
    } | more  # fmt: skip


SPENT = {"wall_us": 9, "cpu_us": 7, "peak_memory_bytes": 5}


def spent(seed: bytes) -> Head:
    """Head of the tree over what a query cost that `use` has recorded."""
    return settled_tree(SPENT, (), seed).head


async def use(session: AsyncSession, *, query_id: UUID, dataset_id: UUID) -> None:
    """The usage of a settled query that nobody paid for."""
    some = uuid4()
    await perform(
        session,
        usage_recorded(
            query_id=query_id, organisation_id=some, owner_id=some, person_id=some, agreement_id=some,
            dataset_id=dataset_id, version_id="v", outcome="ready", bytes=8, rows=9, price_vnd=0,
            wall_us=SPENT["wall_us"], cpu_us=SPENT["cpu_us"], peak_memory_bytes=SPENT["peak_memory_bytes"],
        ),
    )  # fmt: skip
