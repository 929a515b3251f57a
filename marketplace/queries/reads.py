"""Queries as their parties see them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.audit.errors import ReceiptPending
from marketplace.audit.receipt import Edition, Receipt
from marketplace.audit.receipts import receipt as audit_receipt
from marketplace.db.base import ms_of
from marketplace.db.keys import Keys
from marketplace.errors import Forbidden, NotFound
from marketplace.queries.models import Query
from marketplace.queries.schemas import FailureView, OutputView, QueryPage, QueryView
from marketplace.texts import message


async def query(session: AsyncSession, *, caller: Caller, query_id: UUID) -> QueryView:
    """One query of the caller's own organisation. Raises NotFound."""
    return view(await row_of(session, caller=caller, query_id=query_id))


async def row_of(session: AsyncSession, *, caller: Caller, query_id: UUID) -> Query:
    """The row, for the startup that asked. Another tenant's is not told apart from nothing."""
    if caller.organisation_kind != "startup":
        raise Forbidden(needs="startup")
    row = (await session.execute(_mine(caller).where(Query.id == query_id))).scalar_one_or_none()
    if row is None:
        raise NotFound(what="query")
    return row


async def queries(
    session: AsyncSession, *, caller: Caller, limit: int = 50, before: UUID | None = None
) -> QueryPage:
    """The organisation's queries, newest first; `before` is the last id of the page shown."""
    if caller.organisation_kind != "startup":
        raise Forbidden(needs="startup")
    older: tuple[ColumnElement[bool], ...] = (Query.id < before,) if before else ()
    found = await session.execute(_mine(caller).where(*older).order_by(Query.id.desc()).limit(limit + 1))
    rows = list(found.scalars())
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return QueryPage(items=tuple(view(r) for r in rows[:limit]), next=following)


def _mine(caller: Caller) -> Select[Query]:
    return select(Query).where(Query.organisation_id == caller.organisation_id)


def view(row: Query | Any) -> QueryView:
    """The wire struct of a row."""
    return QueryView(
        id=row.id,
        state=row.state,
        agreement_id=row.agreement_id,
        dataset_id=row.dataset_id,
        purpose=row.purpose,
        sql=row.sql,
        decision=row.decision,
        quote_vnd=row.quote_vnd,
        charged_vnd=row.charged_vnd,
        rows=row.rows,
        columns=tuple(OutputView(**c) for c in row.output) if row.output is not None else None,
        bytes=row.bytes,
        version_id=row.version_id,
        revision=row.revision,
        result_sha256=row.result_sha256,
        failure=_failure(row.failure) if row.failure else None,
        created_at=ms_of(row.created_at),
        finished_at=ms_of(row.finished_at) if row.finished_at else None,
        result_expires_at=ms_of(row.result_expires_at) if row.result_expires_at else None,
    )


def _failure(failure: dict[str, Any]) -> FailureView:
    code, params = failure["code"], failure.get("params") or {}
    texts = {}
    for language in ("vi", "en"):
        said = message(code, params, language)
        texts[language] = {"what": said.what, "why": said.why, "next": said.next}
    return FailureView(code=code, params=params, messages=texts)


async def receipt(session: AsyncSession, keys: Keys, *, caller: Caller, query_id: UUID) -> Receipt:
    """The receipt in the caller's edition: the startup that asked, the owner of the data, or the regulator.

    Raises NotFound, ReceiptPending (the log has not given the event its leaf yet), FactsUnreadable.
    """
    row = (await session.execute(select(Query).where(Query.id == query_id))).scalar_one_or_none()
    edition = _edition(row, caller) if row else None
    if row is None or edition is None:
        raise NotFound(what="query")
    found = await audit_receipt(session, keys, query_id, edition=edition)
    if found is None:
        raise ReceiptPending(query_id=str(query_id))
    return found


def _edition(row: Query, caller: Caller) -> Edition | None:
    """Which edition the caller may have; None: the query is none of the caller's business."""
    if caller.organisation_kind == "regulator":
        return "regulator"
    if caller.organisation_kind == "startup" and caller.organisation_id == row.organisation_id:
        return "startup"
    if caller.organisation_kind == "owner" and caller.organisation_id == row.owner_id:
        return "owner"
    return None
