"""What stands under the console: a price, an answer, or why there is none, ready for the template."""

from __future__ import annotations

import asyncio
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import OrganisationSuspended
from marketplace.errors import Problem
from marketplace.queries import reads, results
from marketplace.queries.errors import NotNamed, ResultGone
from marketplace.queries.forms import first_rows
from marketplace.queries.schemas import Ask, QueryView, QuoteView
from marketplace.queries.services import Services
from marketplace.texts import Message
from marketplace.web.explain import (
    WrongField,
    explain_errors,
    explain_nearest,
    explain_problem,
    explain_reasons,
)
from marketplace.web.view import View
from policies.decision import Decision

SHOWN_ROWS: Final = 200
NUMERIC: Final = frozenset({"BIGINT", "DOUBLE", "DECIMAL", "HUGEINT", "INTEGER"})
"""Types whose cells stand to the right, by the name before their digits."""


class Place(Struct, frozen=True, kw_only=True):
    """Where in the SQL: the line, cut around the word. `start`: of the word in the text as a
    browser's field counts it, from 0."""

    line: int
    column: int
    start: int
    before: str
    word: str
    after: str


class Answer(Struct, frozen=True, kw_only=True):
    """Exactly one of problem, quote and query is there."""

    problem: Message | None = None
    reasons: tuple[Message, ...] = ()
    errors: tuple[WrongField, ...] = ()
    nearest: tuple[Message, ...] = ()
    place: Place | None = None
    quote: QuoteView | None = None
    agreement_ids: tuple[UUID, ...] = ()
    purpose: str = ""
    sql: str = ""
    rho_micro: int | None = None
    key: str = ""
    query: QueryView | None = None
    rows: tuple[tuple[Any, ...], ...] = ()
    gone: Message | None = None
    denied: Message | None = None
    failure: Message | None = None
    numeric: frozenset[str] = NUMERIC


def of_quote(quote: QuoteView, ask: Ask, key: str) -> Answer:
    """A price, and what is needed to run at it."""
    return Answer(quote=quote, agreement_ids=ask.agreement_ids, sql=ask.sql, rho_micro=ask.rho_micro, key=key)


def of_problem(view: View, problem: Problem, ask: Ask) -> Answer:
    """Why there is no answer, with the place in the SQL where there is one."""
    return Answer(
        problem=explain_problem(view, problem),
        reasons=explain_reasons(view, problem.reasons),
        errors=explain_errors(view, problem),
        nearest=explain_nearest(view, problem),
        place=place_in(ask.sql, problem.params),
        agreement_ids=ask.agreement_ids,
        purpose=ask.purpose,
        sql=ask.sql,
    )


async def of_query(
    view: View, session: AsyncSession, caller: Caller, query_id: UUID, services: Services
) -> Answer:
    """A query in whatever state it is, with the first rows of its answer. Raises NotFound."""
    query = await reads.query(session, caller=caller, query_id=query_id)
    if query.state == "ready":
        try:
            stored = await results.result(
                session,
                services.answers,
                caller=caller,
                query_id=query_id,
                database=services.database,
                store=services.store,
            )
        except (ResultGone, NotNamed, OrganisationSuspended) as gone:
            return Answer(query=query, gone=explain_problem(view, gone))
        rows = await asyncio.to_thread(first_rows, stored.answer, SHOWN_ROWS)
        return Answer(query=query, rows=tuple(tuple(row.values()) for row in rows))
    if query.state == "denied":
        decision = msgspec.convert(query.decision, Decision)
        return Answer(
            query=query,
            denied=view.message("query.denied", {}),
            reasons=explain_reasons(view, decision.reasons),
            agreement_ids=tuple(line.agreement_id for line in query.lines),
            purpose=query.purpose,
            sql=query.sql,
        )
    if query.failure is not None:
        return Answer(query=query, failure=view.message(query.failure.code, query.failure.params))
    return Answer(query=query)


def place_in(sql: str, params: dict[str, Any]) -> Place | None:
    """The line and word that a refusal names (both from 1); None when it names none that is there."""
    line, column, word = params.get("line"), params.get("column"), params.get("word")
    lines = sql.split("\n")
    if not isinstance(line, int) or not isinstance(column, int) or not 1 <= line <= len(lines):
        return None
    text = lines[line - 1]
    start = max(0, column - 1)
    length = len(word) if isinstance(word, str) and text[start:].lower().startswith(word.lower()) else 1
    return Place(
        line=line,
        column=column,
        start=sum(len(each.removesuffix("\r")) + 1 for each in lines[: line - 1]) + start,
        before=text[:start],
        word=text[start : start + length],
        after=text[start + length :],
    )
