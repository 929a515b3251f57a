"""Step 8, transaction two: usage, posted hold, event and answer are ready together, or not at all.

Nearly always nothing has changed since the decision, so all of it travels in one round trip, commit and all: the
database judges what it finds under the locks. Has something changed nothing stands, and the query ends otherwise.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from marketplace.audit.sealing import FactsUnreadable, Kept, kept_of
from marketplace.consents.expiry import DUE, expire
from marketplace.db.engine import Database, DatabaseBusy
from marketplace.db.keys import Keys
from marketplace.db.locks import version_locked
from marketplace.db.together import NotAsRequired, Statement, Unit, required
from marketplace.ledger.actions import BOOK, booking, require_made
from marketplace.queries.endings import CANCELLED, METER, Ending, Outcome, charged, voided
from marketplace.queries.held import Held
from marketplace.queries.prepare import Prepared
from marketplace.queries.services import Services

logger = logging.getLogger(__name__)

BUSY_TRIES = 3
"""What came out of a jail is not thrown away because PostgreSQL had to choose between two transactions."""
LOCKED = text(f"""
select a.ended_at is not null or a.expires_at <= now() as over,
       exists (select from version_withdrawal w where w.version_id = l.version_id) as withdrawn,
       s.suspended_at is not null or p.deactivated_at is not null as barred,
       (select count(*) from excluded_cohort x where x.version_id = l.version_id
           and (x.purpose is null or x.purpose = q.purpose)) <> l.excluded_seen as changed,
       {DUE} as expiries_due, d.id as dataset_id, d.slug, q.cancel_asked_at is not null as cancelled
from query q join query_line l on l.query_id = q.id
join agreement a on a.id = l.agreement_id join dataset d on d.id = l.dataset_id
join organisation s on s.id = q.organisation_id join person p on p.id = q.person_id
where q.id = :id and q.state in ('queued', 'running') order by l.agreement_id for update of q for share of a
""")
"""A row a line. Whoever locks several agreements takes them in the order of their ids."""
AS_DECIDED = required(
    LOCKED, "count(*) > 0 and not bool_or(over or withdrawn or barred or changed or expiries_due or cancelled)"
)
MADE = required(BOOK, "bool_and(made)")
METERED = required(METER, "count(*) = 1")


class Others(Struct, frozen=True, kw_only=True):
    """The endings that what is found under the locks may ask for instead."""

    no_records_left: Callable[[], Ending]
    cancelled: Callable[[], Ending]


class _RanOut(Exception):
    """Consents ran out while the query ran: their cohorts are to go before anything is decided on them."""

    def __init__(self, dataset_ids: Sequence[UUID]) -> None:
        super().__init__(*dataset_ids)
        self.dataset_ids = dataset_ids


async def settle(services: Services, held: Held, prepared: Prepared, outcome: Outcome) -> Any | None:
    """Post the holds and release the answer; void both if an agreement or cohorts changed (invariant 5).

    The finished row of `query`; None if somebody else ended it before.
    """
    caps = [line.rows_cap for line in prepared.lines if line.rows_cap is not None]
    keep_s = services.config.result_lifetime_s
    over = Outcome(failure="query.rows_cap_reached", params={"cap": min(caps, default=None)}, usage=outcome.usage)
    if outcome.result and caps and outcome.result.records > min(caps):
        outcome = over
    stopped = Outcome(failure=CANCELLED, usage=outcome.usage)
    others = Others(
        no_records_left=partial(charged, held, prepared, over, keep_s=keep_s, metered=False),
        cancelled=partial(charged, held, prepared, stopped, keep_s=keep_s, metered=False),
    )
    ending = charged(held, prepared, outcome, keep_s=keep_s, metered=True)
    tries = 0
    while True:
        try:
            return await _end(services.database, services.keys, held, ending, others)
        except DatabaseBusy:  # all of it was undone, and LOCKED finds nothing if it was not
            tries += 1
            if tries == BUSY_TRIES:
                raise
        except _RanOut as ran_out:
            for dataset_id in ran_out.dataset_ids:
                async with services.database.session() as session:
                    await expire(session, dataset_id=dataset_id, store=services.store)


async def void(
    database: Database,
    keys: Keys,
    held: Held,
    *,
    code: str,
    params: dict[str, Any] | None = None,
    entered: bool = False,
) -> Any | None:
    """Give the holds back: the query failed before the jail, or through no doing of the caller.

    `entered`: it was in a jail; its privacy budget stays spent."""
    kept = await _stood_on(database, keys, held)
    ending = voided(held, kept, code=code, params=params or {}, entered=entered)
    cancelled = partial(voided, held, kept, code=CANCELLED, params={}, entered=entered)
    return await _end(database, keys, held, ending, Others(no_records_left=lambda: ending, cancelled=cancelled))


async def _stood_on(database: Database, keys: Keys, held: Held) -> list[Kept | None]:
    """What each line was let in on. That it cannot be read holds no money back."""
    found: list[Kept | None] = []
    async with database.reading() as session:
        for line in held.lines:
            try:
                found.append(await kept_of(session, keys, line.decision_id))
            except FactsUnreadable as unreadable:
                logger.error("query %s is voided without its facts: %s", held.id, unreadable.params)
                found.append(None)
    return found


async def _end(database: Database, keys: Keys, held: Held, ending: Ending, others: Others) -> Any | None:
    """End it this way, or the way that what was found under the locks asks for. Each change is for good."""
    if ending.stands and not ending.cancelled:
        with contextlib.suppress(NotAsRequired):
            return await _at_once(database, held, ending)
    while True:
        async with database.unit() as unit:
            found, counted, row = await _attempt(unit, held, ending)
            if ending.stands and (due := [each.dataset_id for each in found if each.expiries_due]):
                raise _RanOut(due)
            changed = _changed(found) if ending.stands else None
            stopped = not ending.cancelled and any(each.cancelled for each in found)
            if found and changed is None and counted and not stopped:
                return row
            await unit.undo()
        if not found:
            return None
        if changed:
            code, line = changed
            kept = await _stood_on(database, keys, held)
            cause = line.dataset_id if line else None
            ending = voided(held, kept, code=code, params=_named(line), entered=True, cause=cause)
            free = partial(voided, held, kept, code=CANCELLED, params={}, entered=True)
            others = Others(no_records_left=others.no_records_left, cancelled=free)
        elif stopped:
            ending = others.cancelled()
        else:
            ending = others.no_records_left()


async def _at_once(database: Database, held: Held, ending: Ending) -> Any:
    """The finished row. Raises NotAsRequired, and nothing has changed, if anything is not as was decided upon."""
    answers = await database.at_once(
        [
            *(version_locked(each, shared=True) for each in held.versions),
            Statement(AS_DECIDED, {"id": held.id}),
            *(Statement(METERED, each.parameters) for each in ending.meters),
            Statement(MADE, booking(ending.movements).parameters),
            *ending.writes,
        ]
    )
    return answers[-1][0]


async def _attempt(unit: Unit, held: Held, ending: Ending) -> tuple[list[Any], bool, Any | None]:
    """What LOCKED found, whether the records could be counted, and the finished row. Raises as `require_made`."""
    locks = [version_locked(each, shared=True) for each in held.versions] if ending.stands else []
    sent = [
        *locks,
        Statement(LOCKED, {"id": held.id}),
        *ending.meters,
        booking(ending.movements),
        *ending.writes,
    ]
    answers = iter(await unit.send(sent))
    found = [next(answers) for _ in (*locks, LOCKED)][-1]
    if not found:
        return [], False, None
    metered = [next(answers) for _ in ending.meters]
    require_made(next(answers)[0], ending.movements)
    return found, all(metered), [*answers][-1][0]


def _named(line: Any | None) -> dict[str, Any]:
    return {"dataset": line.slug} if line else {}


def _changed(found: Sequence[Any]) -> tuple[str, Any | None] | None:
    """What the decision stood on and is no more, and the line it is about, None if all; None: it stands."""
    for each in found:
        if each.over:
            return "query.agreement_ended", each
        if each.withdrawn:
            return "query.version_withdrawn", each
        if each.barred:
            return "query.caller_barred", None
        if each.changed:
            return "query.data_changed", each
    return None
