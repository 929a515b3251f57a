"""Quality on the wire. What others see of scores is whole percents; counts of what failed are the owner's."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from catalog.quality.drift import ColumnDrift
from catalog.quality.report import Verdict
from catalog.quality.wire import Judge
from marketplace.quality.freshness import Freshness


class ScoreView(Struct, frozen=True, kw_only=True):
    """One axis: đúng accurate, đủ complete, sạch clean, sống live. `percent`: rounded down; None: not judged.

    Of the owner's file others are told steps of five percent, and no state."""

    axis: str
    percent: int | None
    state: Literal["met", "failed", "unknown", "none"] | None


class CheckView(Struct, frozen=True, kw_only=True):
    """One look at one version. room source: the file as its owner sent it, by the owner's suite; released: what
    others see. `verdicts`: for the owner alone."""

    version_id: str
    number: int
    room: str
    judge: Judge
    checked_at: datetime
    scores: tuple[ScoreView, ...]
    drift: tuple[ColumnDrift, ...]
    verdicts: tuple[Verdict, ...]


class QualityPage(Struct, frozen=True, kw_only=True):
    """Of a dataset: whether its next version is late, and what was found of its versions, newest first."""

    dataset_id: UUID
    dataset_slug: str
    freshness: Freshness
    checks: tuple[CheckView, ...]


class BreachView(Struct, frozen=True, kw_only=True):
    """A promise of an agreement's offer that did not hold in a month. `credit_ids`: what it raised so far."""

    id: UUID
    agreement_id: UUID
    dataset_id: UUID
    version_id: str
    period: str
    promise: str
    promised_permille: int | None
    found_permille: int | None
    credit_permille: int
    at: datetime
    credit_ids: tuple[UUID, ...]


class BreachPage(Struct, frozen=True, kw_only=True):
    """Newest first."""

    items: tuple[BreachView, ...]
    next: str | None


class SlaCreditBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The month, YYYY-MM in Viet Nam, whose broken promises are to be given back for."""

    period: Annotated[str, Meta(pattern=r"^20\d\d-(0[1-9]|1[0-2])\Z")]
    reason: Annotated[str, Meta(min_length=3, max_length=500)]
