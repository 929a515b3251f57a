"""Bodies of quote and query, and their answers (DESIGN §5)."""

from __future__ import annotations

from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.billing.price import Item
from marketplace.queries.privacy import PrivacyView
from policies.decision import Decision

MOST_RHO_MICRO: Final = 10**9
"""A thousand times what a lineage may hold."""
Sql = Annotated[str, Meta(min_length=1, description="One SELECT; a dataset's slug is its table name.")]


class Ask(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a startup asks, under the agreement on each dataset that the SQL reads."""

    agreement_ids: Annotated[tuple[UUID, ...], Meta(min_length=1, max_length=8)]
    purpose: Annotated[str, Meta(min_length=1, max_length=100)]
    sql: Sql
    wait_s: Annotated[float, Meta(ge=0, le=30)] = 10
    quote_id: UUID | None = None
    max_vnd: Annotated[int, Meta(ge=0, le=10**12)] | None = None
    max_seconds: Annotated[int, Meta(ge=1, le=86_400)] | None = None
    """The longest that it may run, where that is less than the exchange and the offers allow; not in dp mode."""
    rho_micro: Annotated[int, Meta(ge=1, le=MOST_RHO_MICRO)] | None = None
    """dp mode: what it may spend of the agreement's privacy budget, in millionths of ρ; more is more exact."""


class OutputView(Struct, frozen=True, kw_only=True):
    name: str
    type: str


class PriceLine(Struct, frozen=True, kw_only=True):
    """What one dataset of a query costs, and the decision on it. `reads`: its columns that the query reads."""

    agreement_id: UUID
    dataset_id: UUID
    dataset: str
    version_id: str
    reads: tuple[str, ...]
    bytes: int
    base_vnd: int
    items: tuple[Item, ...]
    """The price's own lines: their sum is `quote_vnd`."""
    offer_id: UUID | None
    quote_vnd: int
    decision: Decision


class QuoteView(Struct, frozen=True, kw_only=True):
    """What the query would cost, and the decision on it: of all its lines. Nothing was held and nothing ran."""

    id: UUID
    decision: Decision
    quote_vnd: int
    bytes: int
    lines: tuple[PriceLine, ...]
    columns: tuple[OutputView, ...]
    """Columns that the answer will have."""
    expires_at: int
    signed: str
    """C2SP signed note: what is promised, as JSON; `GET /api/v1/queries/quote/key` verifies it."""
    privacy: PrivacyView | None = None
    """In dp mode."""


class FailureView(Struct, frozen=True, kw_only=True):
    """Why a query failed: fixed vocabulary and numbers only (invariant 9)."""

    code: str
    params: dict[str, Any]
    messages: dict[str, dict[str, str]]


class LineView(Struct, frozen=True, kw_only=True):
    """One dataset of a query: `decision_id` names its receipt; `columns` are those read."""

    agreement_id: UUID
    decision_id: UUID
    dataset_id: UUID
    dataset: str
    version_id: str | None
    revision: int | None
    columns: tuple[str, ...]
    bytes: int
    quote_vnd: int


class QueryView(Struct, frozen=True, kw_only=True):
    """`lines`: one a dataset; the other figures are of all of them."""

    id: UUID
    state: str
    purpose: str
    sql: str
    decision: dict[str, Any]
    quote_vnd: int
    charged_vnd: int | None
    rho_micro: int
    """What it holds or spent of the privacy budget, in dp mode."""
    lines: tuple[LineView, ...]
    rows: int | None
    columns: tuple[OutputView, ...] | None
    bytes: int
    result_sha256: str | None
    failure: FailureView | None
    created_at: int
    finished_at: int | None
    result_expires_at: int | None


class QueryPage(Struct, frozen=True, kw_only=True):
    items: tuple[QueryView, ...]
    next: str | None
