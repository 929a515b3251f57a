"""What is shown of usage. Instants are RFC 3339."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from msgspec import Struct

GroupBy = Literal["day", "dataset", "person"]


class UsageView(Struct, frozen=True, kw_only=True):
    """One dataset of a charged query; an owner does not see who asked, nor how fast it ran (None)."""

    id: UUID
    query_id: UUID
    at: datetime
    organisation_id: UUID
    owner_id: UUID
    person_id: UUID | None
    agreement_id: UUID
    dataset_id: UUID
    dataset_slug: str
    version_id: str
    outcome: str
    bytes: int
    rows: int
    cpu_us: int | None
    wall_us: int | None
    peak_memory_bytes: int | None
    price_vnd: int


class UsageTotals(Struct, frozen=True, kw_only=True):
    """Each query and the rows of its answer count once, however many datasets it read."""

    queries: int
    bytes: int
    rows: int
    price_vnd: int


class UsagePage(Struct, frozen=True, kw_only=True):
    """Newest first; `next` is the cursor of the next page, None on the last; totals are of the whole period."""

    items: tuple[UsageView, ...]
    totals: UsageTotals
    next: str | None


class UsageGroup(Struct, frozen=True, kw_only=True):
    """One day, dataset or person. `key`: the day or the id, `name` what it is called.

    `cpu_us`: told to the startup alone."""

    key: str
    name: str
    queries: int
    bytes: int
    rows: int
    cpu_us: int | None
    price_vnd: int


class UsageGroups(Struct, frozen=True, kw_only=True):
    """Days in their order, datasets and people by what they cost. `first`, `last`: days, both included."""

    group: GroupBy
    first: date
    last: date
    items: tuple[UsageGroup, ...]
