"""The one verb of metering: what a query used of a dataset, once."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from marketplace.db.base import new_id, utcnow
from marketplace.db.together import Statement

_RECORD = text("""
    insert into usage (id, query_id, organisation_id, owner_id, person_id, agreement_id, dataset_id, version_id,
        outcome, bytes, rows, elements, cpu_us, wall_us, peak_memory_bytes, price_vnd, items, at)
    values (:id, :query_id, :organisation_id, :owner_id, :person_id, :agreement_id, :dataset_id, :version_id,
        :outcome, :bytes, :rows, :elements, :cpu_us, :wall_us, :peak_memory_bytes, :price_vnd,
        cast(:items as jsonb), :at)
    on conflict (query_id, dataset_id) do nothing returning id
""")


def usage_recorded(
    *,
    query_id: UUID,
    organisation_id: UUID,
    owner_id: UUID,
    person_id: UUID,
    agreement_id: UUID,
    dataset_id: UUID,
    version_id: str,
    outcome: str,
    bytes: int,
    rows: int,
    cpu_us: int,
    wall_us: int,
    peak_memory_bytes: int,
    price_vnd: int,
    items: bytes = b"[]",
    elements: int = 0,
) -> Statement:
    """What records a query's usage of a dataset; it gives the row's id, or no row if it was recorded before.

    `items`: the price's lines as JSON."""
    row = {
        "id": new_id(),
        "query_id": query_id,
        "organisation_id": organisation_id,
        "owner_id": owner_id,
        "person_id": person_id,
        "agreement_id": agreement_id,
        "dataset_id": dataset_id,
        "version_id": version_id,
        "outcome": outcome,
        "bytes": bytes,
        "rows": rows,
        "elements": elements,
        "cpu_us": cpu_us,
        "wall_us": wall_us,
        "peak_memory_bytes": peak_memory_bytes,
        "price_vnd": price_vnd,
        "items": items.decode(),
        "at": utcnow(),
    }
    return Statement(_RECORD, row)
