"""Bodies of quote and query, and their answers (DESIGN §5)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from msgspec import Meta, Struct

from policies.decision import Decision

Sql = Annotated[str, Meta(min_length=1, description="One SELECT; a dataset's slug is its table name.")]


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a startup asks."""

    agreement_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=8)]
    purpose: Annotated[str, Meta(min_length=1, max_length=100)]
    sql: Sql
    wait_s: Annotated[float, Meta(ge=0, le=30)] = 10
    quote_id: UUID | None = None
    max_vnd: Annotated[int, Meta(ge=0, le=10**12)] | None = None


class OutputView(Struct, frozen=True, kw_only=True):
    name: str
    type: str


class QuoteView(Struct, frozen=True, kw_only=True):
    """What the query would cost, and the decision on it. Nothing was held and nothing ran."""

    id: UUID
    decision: Decision
    quote_vnd: int
    base_vnd: int
    bytes: int
    reads: tuple[str, ...]
    """Columns of the dataset that the query reads."""
    columns: tuple[OutputView, ...]
    """Columns that the answer will have."""
    version_id: str
    expires_at: int


class FailureView(Struct, frozen=True, kw_only=True):
    """Why a query failed: fixed vocabulary and numbers only (invariant 9)."""

    code: str
    params: dict[str, Any]
    messages: dict[str, dict[str, str]]


class QueryView(Struct, frozen=True, kw_only=True):
    id: UUID
    state: str
    agreement_id: UUID
    dataset_id: UUID
    purpose: str
    sql: str
    decision: dict[str, Any]
    quote_vnd: int
    charged_vnd: int | None
    rows: int | None
    columns: tuple[OutputView, ...] | None
    bytes: int
    version_id: str | None
    revision: int | None
    result_sha256: str | None
    failure: FailureView | None
    created_at: int
    finished_at: int | None
    result_expires_at: int | None


class QueryPage(Struct, frozen=True, kw_only=True):
    items: tuple[QueryView, ...]
    next: str | None
