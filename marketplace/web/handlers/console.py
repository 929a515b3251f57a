"""The query console: choose an agreement, write SQL, see the price, run it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated

from litestar import get, post
from litestar.params import QueryParameter
from litestar.response import Template
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.version import Version, VersionColumn
from marketplace.accounts.allowance import PAGE
from marketplace.accounts.callers import Analyst
from marketplace.agreements.reads import list_agreements, read_agreement
from marketplace.agreements.schemas import AgreementView
from marketplace.billing.budget import share_account
from marketplace.db.base import utcnow
from marketplace.errors import NotFound, Problem
from marketplace.ledger.accounts import account_id
from marketplace.ledger.reads import Balance, balance
from marketplace.listings.reads import listed_version
from marketplace.own.reads import tables as own_tables
from marketplace.queries import reads, walk
from marketplace.queries.first import first_question
from marketplace.queries.schemas import MOST_RHO_MICRO, Ask
from marketplace.queries.services import Services
from marketplace.spending.reads import newest_alert
from marketplace.web.answer import Answer, of_problem, of_query, of_quote
from marketplace.web.forms import Form, wrong
from marketplace.web.view import View

WAIT_S = 10.0
"""How long a page waits before it starts to poll."""
AGREEMENTS = 200


@get("/console")
async def show_console(
    view: View,
    analyst: Analyst,
    session: AsyncSession,
    agreement: uuid.UUID | None = None,
    beside: list[uuid.UUID] | None = None,
    from_: Annotated[uuid.UUID | None, QueryParameter(name="from")] = None,
) -> Template:
    """The console on one agreement, the newest in force unless one is chosen, and others beside it.

    `from_`: a query to start from.
    """
    sql = (await reads.query(session, caller=analyst, query_id=from_)).sql if from_ else None
    chosen = (agreement, *(beside or ())) if agreement else ()
    return await _console(view, analyst, session, chosen_ids=chosen, sql=sql, answer=None, key=None)


@post("/console/quote", status_code=200, opt={"points": PAGE})
async def quote(view: View, analyst: Analyst, services: Services, form: Form) -> Template:
    """The price of the question and the decision on it."""
    analyst.require("query")
    ask = await _ask(services, analyst, form)
    key = str(uuid.uuid4())
    try:
        answer = of_quote(await walk.quote(services, analyst, ask), ask, key)
    except Problem as problem:
        answer = of_problem(view, problem, ask)
    return await _answered(view, analyst, services, ask, answer, key)


@post("/console/run", status_code=200, opt={"points": PAGE})
async def run(view: View, analyst: Analyst, services: Services, form: Form) -> Template:
    """The answer, or why there is none. The hidden key makes a second press the same query."""
    analyst.require("query")
    ask = await _ask(services, analyst, form)
    try:
        walked = await walk.run(services, analyst, ask, idempotency_key=form.text("key") or None)
        async with services.database.session() as session:
            answer = await of_query(view, session, analyst, walked.query_id, services)
    except Problem as problem:
        answer = of_problem(view, problem, ask)
    return await _answered(view, analyst, services, ask, answer, str(uuid.uuid4()))


async def _ask(services: Services, analyst: Analyst, form: Form) -> Ask:
    """The form as a question, for the purpose of the first agreement. Units of work here are short: none stays
    open while a query runs."""
    chosen = form.ids("agreement") or (form.id("agreement"),)
    async with services.database.session() as session:
        agreement = await read_agreement(
            session, agreement_id=chosen[0], organisation_id=analyst.organisation_id, at=utcnow()
        )
    return Ask(
        agreement_ids=chosen,
        purpose=agreement.purpose,
        sql=form.text("sql"),
        wait_s=WAIT_S,
        quote_id=form.optional_id("quote"),
        rho_micro=_rho_micro(form),
    )


def _rho_micro(form: Form) -> int | None:
    """None when empty. Raises Invalid for what the API would not take."""
    asked = form.integer("rho_micro") if form.text("rho_micro").strip() else None
    if asked is not None and not 1 <= asked <= MOST_RHO_MICRO:
        raise wrong("rho_micro", "form.integer")
    return asked


async def _answered(
    view: View, analyst: Analyst, services: Services, ask: Ask, answer: Answer, key: str
) -> Template:
    async with services.database.session() as session:
        if view.partial:
            usable = await _usable(session, analyst)
            means = await _means(session, analyst, [usable[id] for id in ask.agreement_ids if id in usable])
            return view.page("_answer.html", answer=answer, key=key, means=means)
        return await _console(
            view, analyst, session, chosen_ids=ask.agreement_ids, sql=ask.sql, answer=answer, key=key,
            rho_micro=ask.rho_micro,
        )  # fmt: skip


class Budget(Struct, frozen=True, kw_only=True):
    """`left_share`: 0..1 of the privacy budget that the agreement was granted."""

    agreement_id: uuid.UUID
    left_share: float


class Means(Struct, frozen=True, kw_only=True):
    """What the reader has left to ask with."""

    available_vnd: int
    budgets: tuple[Budget, ...]


class Table(Struct, frozen=True, kw_only=True):
    """What one agreement lets ask."""

    slug: str
    mode: str
    columns: tuple[VersionColumn, ...]


async def _console(
    view: View,
    analyst: Analyst,
    session: AsyncSession,
    *,
    chosen_ids: Sequence[uuid.UUID],
    sql: str | None,
    answer: Answer | None,
    key: str | None,
    rho_micro: int | None = None,
) -> Template:
    usable = await _usable(session, analyst)
    chosen = [usable[id] for id in chosen_ids if id in usable] or [*usable.values()][:1]
    first = chosen[0] if chosen else None
    versions = {one.id: await _version(session, one) for one in chosen}
    return view.page(
        "console.html",
        agreements=[*usable.values()],
        chosen=first,
        beside=[one for one in usable.values() if first and _beside(one, first)],
        asked=[one.id for one in chosen],
        own=(await own_tables(session, organisation_id=analyst.organisation_id)).items,
        tables=[_table(one, version) for one in chosen if (version := versions[one.id])],
        sql=sql if sql is not None else first_question(versions[first.id], first.columns) if first else "",
        answer=answer,
        means=await _means(session, analyst, chosen),
        key=key or str(uuid.uuid4()),
        rho_micro=rho_micro,
        alert=await newest_alert(session, organisation_id=analyst.organisation_id, at=utcnow()),
    )


async def _means(session: AsyncSession, analyst: Analyst, agreements: Sequence[AgreementView]) -> Means:
    """What asking under these agreements of the analyst's is paid from."""
    found = await _balance(session, account_id(analyst.organisation_id, "wallet"))
    shares = [(one.id, await _balance(session, share_account(one.id))) for one in agreements]
    return Means(
        available_vnd=found.available if found else 0,
        budgets=tuple(
            Budget(agreement_id=id, left_share=each.available / each.credits_posted) for id, each in shares if each
        ),
    )


async def _balance(session: AsyncSession, id: uuid.UUID) -> Balance | None:
    """None for an account that was never opened: only agreements in dp mode have a budget."""
    try:
        return await balance(session, id)
    except NotFound:
        return None


async def _usable(session: AsyncSession, analyst: Analyst) -> dict[uuid.UUID, AgreementView]:
    listed = await list_agreements(session, organisation_id=analyst.organisation_id, at=utcnow(), limit=AGREEMENTS)
    return {one.id: one for one in listed.items if one.state == "in_force"}


async def _version(session: AsyncSession, agreement: AgreementView) -> Version | None:
    found = await listed_version(session, agreement.dataset_id)
    return found.version if found else None


def _beside(one: AgreementView, first: AgreementView) -> bool:
    """One query has one purpose, and reads each dataset under one agreement."""
    return one.purpose == first.purpose and one.dataset_id != first.dataset_id


def _table(agreement: AgreementView, version: Version) -> Table:
    return Table(
        slug=agreement.dataset_slug,
        mode=version.mode,
        columns=tuple(column for column in version.columns if column.name in agreement.columns),
    )


handlers = [show_console, quote, run]
