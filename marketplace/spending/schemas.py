"""Spending on the wire: whole đồng, months YYYY-MM of Viet Nam."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

LimitScope = Literal["organisation", "dataset", "person"]
Percent = Annotated[int, Meta(ge=1, le=100)]


class LimitBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What queries may cost a month: all of them, those of a dataset (slug or id), or those of a person.

    It replaces the limit of the same scope. `alert_percent`: shares of it at which the organisation is told."""

    month_vnd: Annotated[int, Meta(ge=0, le=10**12)]
    dataset: Annotated[str, Meta(max_length=100)] | None = None
    person_id: UUID | None = None
    alert_percent: Annotated[tuple[Percent, ...], Meta(max_length=10)] = (50, 80, 100)


class LimitView(Struct, frozen=True, kw_only=True):
    """`spent_vnd`: this month, holds counted."""

    id: UUID
    scope: LimitScope
    dataset_id: UUID | None
    dataset_slug: str | None
    person_id: UUID | None
    person_name: str | None
    month_vnd: int
    alert_percent: tuple[int, ...]
    spent_vnd: int
    set_at: datetime


class AlertView(Struct, frozen=True, kw_only=True):
    """A share of a limit that a month's spending reached."""

    scope: LimitScope
    dataset_slug: str | None
    person_name: str | None
    month: str
    percent: int
    spent_vnd: int
    limit_vnd: int
    at: datetime


class SpendingView(Struct, frozen=True, kw_only=True):
    """What the organisation's queries cost this month, holds counted; its limits; its newest alerts."""

    month: str
    spent_vnd: int
    queries: int
    limits: tuple[LimitView, ...]
    alerts: tuple[AlertView, ...]
