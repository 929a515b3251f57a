"""One query, as the data walks (DESIGN §2): the only place that knows the order of its steps."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from msgspec import Struct
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from marketplace.accounts.allowance import LASTING, PAID, question_points
from marketplace.accounts.callers import Caller
from marketplace.audit.actions import recorded
from marketplace.billing.actions import require_held
from marketplace.db.base import EPOCH, new_id
from marketplace.db.idempotency import claiming, seen
from marketplace.errors import Problem, Unavailable
from marketplace.queries import execute
from marketplace.queries.denials import asked_before, asked_now, denial
from marketplace.queries.endings import Outcome
from marketplace.queries.entry import Entry, admitted, denied, refused
from marketplace.queries.execute import Run, finish
from marketplace.queries.held import Held, read_held
from marketplace.queries.lines import Line
from marketplace.queries.models import Query, Quote
from marketplace.queries.prepare import Prepared, prepare
from marketplace.queries.quotes import promise, promised, require_promised
from marketplace.queries.schemas import Ask, OutputView, PriceLine, QuoteView
from marketplace.queries.services import Services, task_name
from marketplace.queries.settle import void
from marketplace.queries.turns import Place
from marketplace.spending.counting import require_within
from marketplace.spending.errors import LimitReached, PriceMoved
from policies.decision import Decision

logger = logging.getLogger(__name__)

TELL_AFTER_S = 0.25
"""A query that had to wait and has run for so long is told as running, to every process."""
TRY_AGAIN_S = 2.0
"""Between two tries to give a hold back to a database that is away."""
NOT_SO_SOON_S = 60.0
"""The same where more is wrong, and somebody has to look."""
PRICE_TRIES = 8
"""Each time somebody else's query entered instead; once a cap or a trial is used up, it moves no more."""

RUNS = text("update query set state = 'running' where id = :id and state = 'queued'")


class Walked(Struct, frozen=True, kw_only=True):
    """A query that entered. `row`: of the table `query`, if this call saw it end; else it is to be read."""

    query_id: UUID
    row: Any | None = None


async def quote(services: Services, caller: Caller, ask: Ask) -> QuoteView:
    """What the query would cost. Decided like a query (a denial is logged and raised); holds and runs nothing.

    Raises AllowanceSpent, and what `prepare` raises."""
    async with services.understanding.for_nothing(caller.organisation_id, ask.sql):
        return await _quote(services, caller, ask)


async def _quote(services: Services, caller: Caller, ask: Ask) -> QuoteView:
    prepared = await prepare(services, caller, ask)
    if not prepared.decision.allow:
        sealed = prepared.sealed(services.keys, new_id())
        events = denied(caller, prepared, sealed, query_id=None)
        async with services.database.unit() as unit:
            await unit.send([*(each.stored for each in sealed if not each.decision.allow), *events])
        services.allowance.owe(caller.organisation_id, LASTING)
        raise await denial(services, prepared.decision, asked_now(prepared.lines, sealed))
    signed = promise(services, caller, ask, prepared)
    expires_at_ms = signed.promise.expires_at_ms
    row = Quote(
        id=signed.promise.quote,
        person_id=caller.person_id,
        note=signed.note,
        expires_at=EPOCH + timedelta(milliseconds=expires_at_ms),
    )
    async with services.database.session() as session:
        session.add(row)
    return QuoteView(
        id=row.id,
        decision=prepared.decision,
        quote_vnd=prepared.price_vnd,
        bytes=prepared.bytes,
        lines=tuple(_priced(line) for line in prepared.lines),
        columns=tuple(OutputView(name=c.name, type=c.type) for c in prepared.plan.output),
        expires_at=expires_at_ms,
        signed=signed.note,
        privacy=prepared.privacy,
    )


def _priced(line: Line) -> PriceLine:
    assert line.version is not None  # an allowed query has listed versions
    return PriceLine(
        agreement_id=line.facts.agreement_id,
        dataset_id=line.facts.dataset_id,
        dataset=line.facts.slug,
        version_id=line.version.id,
        reads=line.reads,
        bytes=line.bytes,
        base_vnd=next((item.amount_vnd for item in line.price.items if item.code == "query"), 0),
        items=line.price.items,
        offer_id=line.facts.offer_id,
        quote_vnd=line.price_vnd,
        decision=line.decision,
    )


async def run(services: Services, caller: Caller, ask: Ask, *, idempotency_key: str | None = None) -> Walked:
    """Walk a query to its answer or for at most `ask.wait_s`, whichever is first.

    Raises Denied, InsufficientFunds, LimitReached, BudgetShort, KeyReused, QuoteExpired, QuoteMismatch,
    PriceMoved, AllowanceSpent, and what `prepare` raises.
    """
    earlier = await _earlier(services, caller, ask, idempotency_key)
    if earlier is not None:
        return Walked(query_id=await _again(services, earlier, ask.wait_s))
    tries = 0
    while True:
        try:
            return await _walk(services, caller, ask, idempotency_key)
        except PriceMoved:  # what a month or a trial has left is another now, and so is the price
            tries += 1
            if tries == PRICE_TRIES:
                raise


async def _walk(services: Services, caller: Caller, ask: Ask, idempotency_key: str | None) -> Walked:
    query_id = new_id()
    services.turns.require_room(caller.organisation_id)
    free = question_points(ask.sql)
    services.allowance.take(caller.organisation_id, free)
    held_to = await promised(services, caller, ask)
    prepared = await prepare(services, caller, ask, promised_vnd=held_to.prices_vnd if held_to else None)
    if held_to is not None:
        require_promised(held_to, prepared)
    sealed = prepared.sealed(services.keys, query_id)
    if not prepared.decision.allow:
        if await _enter(services, caller, ask, refused(caller, ask, prepared, sealed), idempotency_key):
            services.allowance.owe(caller.organisation_id, LASTING)
            asked = asked_now(prepared.lines, sealed)
            raise await denial(services, prepared.decision, asked, query_id=query_id)
        return await _as_before(services, caller, ask, idempotency_key)
    draft = services.answers.draft(query_id)  # first, for it may fail: nobody would leave the place
    to = Run(place=_place(services, caller, query_id, prepared), draft=draft)
    # The jail starts while the hold is written. Nobody looks at what it says before the hold stands.
    running = asyncio.create_task(execute.run(services, prepared, to))
    entered = False
    try:
        number = services.runner.number
        entry = admitted(caller, ask, prepared, sealed, runner=number, waits=to.place.waits)
        entered = await _enter_or_undo(services, caller, ask, entry, idempotency_key)
    finally:
        if not entered:
            running.add_done_callback(partial(_unheard, to))
            running.cancel()
    if not entered:
        return await _as_before(services, caller, ask, idempotency_key)
    if prepared.price_vnd:
        services.allowance.give_back(caller.organisation_id, free + PAID)
    assert entry.held is not None  # it was admitted
    task = _start(services, entry.held, prepared, running, to)
    await _wait(task, ask.wait_s)
    return Walked(query_id=query_id, row=task.result() if task.done() and not task.cancelled() else None)


def _place(services: Services, caller: Caller, query_id: UUID, prepared: Prepared) -> Place:
    """A place in the queue. Raises QueueFull, before there is a hold."""
    return services.turns.join(
        query_id,
        tenant=caller.organisation_id,
        agreement=prepared.lines[0].facts.agreement_id,
        cost_bytes=prepared.bytes,
        memory_bytes=services.config.sandbox_memory_bytes,
    )


def _unheard(to: Run, running: asyncio.Task[Outcome]) -> None:
    """What a query said that did not enter goes nowhere, its failure neither."""
    to.place.leave()
    to.draft.drop()
    if not running.cancelled():
        running.exception()


async def _earlier(services: Services, caller: Caller, ask: Ask, key: str | None) -> UUID | None:
    """The query that this key already made. Raises KeyReused."""
    if key is None:
        return None
    async with services.database.reading() as session:
        return await seen(session, organisation_id=caller.organisation_id, key=key, body=_body(ask))


async def _as_before(services: Services, caller: Caller, ask: Ask, key: str | None) -> Walked:
    """The key was taken while this call prepared: answer as the call that took it."""
    first = await _earlier(services, caller, ask, key)
    assert first is not None
    return Walked(query_id=await _again(services, first, ask.wait_s))


async def _enter(services: Services, caller: Caller, ask: Ask, entry: Entry, key: str | None) -> bool:
    """Step 6, transaction one. False if the key was taken meanwhile; then nothing was written.

    Raises KeyReused, InsufficientFunds, LimitReached, PriceMoved.
    """
    claims = []
    if key is not None:
        claims = [
            claiming(organisation_id=caller.organisation_id, key=key, body=_body(ask), subject_id=entry.query_id)
        ]
    async with services.database.unit() as unit:
        answers = await unit.send([*claims, *entry.writes])
        if claims and not answers[0]:
            await unit.undo()
            return False
        if entry.holds:
            booked, against = answers[len(claims) : len(claims) + 2]
            require_held(booked[0], entry.holds)
            require_within(against)
    return True


async def _enter_or_undo(services: Services, caller: Caller, ask: Ask, entry: Entry, key: str | None) -> bool:
    """`_enter`; where its answer was lost nobody knows whether it stands, so what stands of it is given back."""
    try:
        return await _enter(services, caller, ask, entry, key)
    except LimitReached as reached:
        await _record_stop(services, caller, ask, reached)
        raise
    except BaseException as lost:
        if not isinstance(lost, Problem) or isinstance(lost, Unavailable):
            assert entry.held is not None  # it was admitted
            _follow(services, entry.held, _give_back(services, entry.held, entered=False))
        raise


async def _record_stop(services: Services, caller: Caller, ask: Ask, reached: LimitReached) -> None:
    stopped = recorded(
        "spending:stop",
        actor_person_id=caller.person_id,
        actor_organisation_id=caller.organisation_id,
        parties=(caller.organisation_id,),
        purpose=ask.purpose,
        price_vnd=0,
        body={"agreements": sorted(set(ask.agreement_ids)), **reached.params},
    )
    async with services.database.unit() as unit:
        await unit.send([stopped])


def _start(
    services: Services, held: Held, prepared: Prepared, running: asyncio.Task[Outcome], to: Run
) -> asyncio.Task[Any | None]:
    return _follow(services, held, _to_its_end(services, held, prepared, running, to))


def _follow(services: Services, held: Held, ending: Coroutine[Any, Any, Any | None]) -> asyncio.Task[Any | None]:
    task = asyncio.create_task(ending, name=task_name(held.id))
    services.running.add(task)
    task.add_done_callback(services.running.discard)
    return task


async def _to_its_end(
    services: Services, held: Held, prepared: Prepared, running: asyncio.Task[Outcome], to: Run
) -> Any | None:
    """Whatever happens in between, the hold is posted or voided before this returns, or the sweep does it."""
    told = asyncio.create_task(_tell_running(services, held, to.place)) if to.place.waits else None
    ending = finish(services, held, prepared, running, to.draft)
    try:
        results: list[Any] = await asyncio.gather(ending, return_exceptions=True)
    finally:
        if told is not None:
            told.cancel()
    ended = results[0]
    if not isinstance(ended, BaseException):
        return ended
    logger.error("query %s ended without settling", held.id, exc_info=ended)
    return await _give_back(services, held, entered=to.place.entered)


async def _tell_running(services: Services, held: Held, place: Place) -> None:
    """Of a query that waited; most are over before it is worth a write."""
    await place.changed.wait()
    await asyncio.sleep(TELL_AFTER_S)
    with contextlib.suppress(Unavailable, DBAPIError):
        async with services.database.session() as session:
            await session.execute(RUNS, {"id": held.id})


async def _give_back(services: Services, held: Held, *, entered: bool) -> Any | None:
    """Until it is done: the sweep takes this process for alive, and leaves its queries to it."""
    while True:
        try:
            if await read_held(services.database, held.id) is None:
                return None
            return await void(services.database, services.keys, held, code="query.interrupted", entered=entered)
        except (Unavailable, DBAPIError, psycopg.Error, OSError) as away:
            logger.warning("query %s keeps its hold until the database is back: %s", held.id, type(away).__name__)
            await asyncio.sleep(TRY_AGAIN_S)
        except Exception:
            logger.exception("query %s keeps its hold: it cannot be voided", held.id)
            await asyncio.sleep(NOT_SO_SOON_S)


async def _wait(task: asyncio.Task[Any | None], wait_s: float) -> None:
    await asyncio.wait({task}, timeout=wait_s)


async def _again(services: Services, query_id: UUID, wait_s: float) -> UUID:
    """The same request came again: wait for the first one, and answer as it did."""
    name = task_name(query_id)
    for task in tuple(services.running):
        if task.get_name() == name:
            await _wait(task, wait_s)
    async with services.database.reading() as session:
        row = (await session.execute(select(Query.state, Query.decision).where(Query.id == query_id))).one()
    if row.state == "denied":
        decision = msgspec.convert(row.decision, Decision)
        asked = await asked_before(services, query_id)
        raise await denial(services, decision, asked, query_id=query_id)
    return query_id


def _body(ask: Ask) -> bytes:
    """What makes two requests the same: all but how long the caller waits."""
    return msgspec.json.encode(msgspec.structs.replace(ask, wait_s=0), order="deterministic")
