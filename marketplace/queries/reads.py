"""Queries as their parties see them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.audit.errors import ReceiptPending
from marketplace.audit.receipt import Edition, Receipt
from marketplace.audit.receipts import receipt as audit_receipt
from marketplace.db.base import ms_of
from marketplace.db.keys import Keys
from marketplace.errors import Forbidden, NotFound
from marketplace.queries.schemas import FailureView, LineView, OutputView, QueryPage, QueryView
from marketplace.texts import message

LINES = """
    (select jsonb_agg(jsonb_build_object('agreement_id', l.agreement_id, 'decision_id', l.decision_id,
            'dataset_id', l.dataset_id, 'dataset', d.slug, 'version_id', l.version_id, 'revision', l.revision,
            'columns', l.columns, 'bytes', l.bytes, 'quote_vnd', l.quote_vnd) order by l.agreement_id)
     from query_line l join dataset d on d.id = l.dataset_id where l.query_id = query.id)
"""
"""Of a row of `query`, as JSON of LineView."""
ONE = text(f"select *, {LINES} as lines from query where id = :id and organisation_id = :organisation")
MINE = text(f"""
    select *, {LINES} as lines from query where organisation_id = :organisation and id < :before
    order by id desc limit :rows
""")
OWNERS = text("""
    select q.organisation_id, l.owner_id, a.partner_id, l.decision_id, l.dataset_id
    from query q join query_line l on l.query_id = q.id join agreement a on a.id = l.agreement_id
    where q.id = :id order by l.agreement_id
""")
_LAST = UUID(int=2**128 - 1)


async def query(session: AsyncSession, *, caller: Caller, query_id: UUID) -> QueryView:
    """One query of the caller's own organisation; another tenant's is not told apart from nothing.

    Raises NotFound.
    """
    if caller.organisation_kind != "startup":
        raise Forbidden(needs="startup")
    found = await session.execute(ONE, {"id": query_id, "organisation": caller.organisation_id})
    row = found.one_or_none()
    if row is None:
        raise NotFound(what="query")
    return view(row)


async def queries(
    session: AsyncSession, *, caller: Caller, limit: int = 50, before: UUID | None = None
) -> QueryPage:
    """The organisation's queries, newest first; `before` is the last id of the page shown."""
    if caller.organisation_kind != "startup":
        raise Forbidden(needs="startup")
    asked = {"organisation": caller.organisation_id, "before": before or _LAST, "rows": limit + 1}
    rows = (await session.execute(MINE, asked)).all()
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return QueryPage(items=tuple(view(row) for row in rows[:limit]), next=following)


def view(row: Any) -> QueryView:
    """The wire struct of a row of `query` with its LINES."""
    return QueryView(
        id=row.id,
        state=row.state,
        purpose=row.purpose,
        sql=row.sql,
        decision=row.decision,
        quote_vnd=row.quote_vnd,
        charged_vnd=row.charged_vnd,
        rho_micro=row.rho_micro,
        lines=msgspec.convert(row.lines, tuple[LineView, ...]),
        rows=row.rows,
        columns=tuple(OutputView(**c) for c in row.output) if row.output is not None else None,
        bytes=row.bytes,
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


async def receipt(
    session: AsyncSession, keys: Keys, *, caller: Caller, query_id: UUID, dataset_id: UUID | None = None
) -> Receipt:
    """The receipt on one dataset of a query (unless told, the first that is the caller's business) in the caller's
    edition: the startup that asked, the owner of the data, or the regulator.

    Raises NotFound, ReceiptPending (the log has not given the event its leaf yet), FactsUnreadable.
    """
    lines = (await session.execute(OWNERS, {"id": query_id})).all()
    editions = [
        (line.decision_id, _edition(line, caller)) for line in lines if dataset_id in (None, line.dataset_id)
    ]
    decision_id, edition = next((each for each in editions if each[1]), (None, None))
    if decision_id is None or edition is None:
        raise NotFound(what="query")
    found = await audit_receipt(session, keys, decision_id, edition=edition)
    if found is None:
        raise ReceiptPending(query_id=str(query_id))
    return found


def _edition(line: Any, caller: Caller) -> Edition | None:
    """Which edition the caller may have; None: this dataset of the query is none of the caller's business."""
    if caller.organisation_kind == "regulator":
        return "regulator"
    if caller.organisation_kind == "startup" and caller.organisation_id == line.organisation_id:
        return "startup"
    if caller.organisation_kind == "owner" and caller.organisation_id in (line.owner_id, line.partner_id):
        return "owner"
    return None
