"""Quotes and queries: an event for each dataset that one reads."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marketplace.audit.declared.decisions import Decided, FactsHead
from marketplace.audit.registry import Body, event


@event("quote:deny", "a quote was denied", counted=True)
@event("query:deny", "a query was denied", counted=True)
class QuestionDenied(Decided, frozen=True):
    columns: tuple[str, ...]


class Used(Body, frozen=True):
    """What every party of the query is told; the rest is in the tree of what it cost."""

    rows: int
    bytes: int


@event("query:settle", "what ended in the jail was charged: usage, answer and price stand together", counted=True)
class QuerySettled(Decided, frozen=True):
    usage: Used
    settled: FactsHead
    """Of the tree over time, memory and transfers: `audit.settlement`."""
    columns: tuple[str, ...]
    outcome: str
    failure: str | None
    result_sha256: str | None
    rho_micro: int | None = None
    offer: UUID | None = None
    price: tuple[tuple[str, int], ...] = ()
    """Codes and đồng of its lines: `billing.price.Item`."""


@event(
    "query:void", "the hold went back: it failed before the jail, or through no doing of who asked", counted=True
)
class QueryVoided(Body, frozen=True):
    decision_id: UUID
    code: str
    params: dict[str, Any]
    rho_micro: int | None = None
    decision: dict[str, Any] | None = None
    facts: FactsHead | None = None
    columns: tuple[str, ...] | None = None


@event("query:cancel", "the startup ended a query, or had its answer erased", counted=True)
class QueryCancelled(Body, frozen=True):
    state: str
    result_sha256: str | None


@event("query:fetch", "the answer was fetched", counted=True)
class AnswerFetched(Body, frozen=True):
    result_sha256: str | None
