"""Step 8, transaction two: usage, posted hold, event and answer are ready together, or not at all.

Nearly always nothing has changed since the decision, so all of it travels in one round trip, and what was found
under the locks is judged before the commit. Has something changed, all is undone and the query ends otherwise.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import text

from marketplace.audit.sealing import FactsUnreadable, Kept, kept_of
from marketplace.consents.expiry import DUE, expire
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.db.locks import version_locked
from marketplace.db.together import Statement, Unit
from marketplace.ledger.actions import booking, require_made
from marketplace.queries.endings import Ending, Held, Outcome, charged, voided
from marketplace.queries.prepare import Prepared
from marketplace.queries.services import Services

logger = logging.getLogger(__name__)

LOCKED = text(f"""
select a.ended_at is not null or a.expires_at <= now() as over,
       s.suspended_at is not null or p.deactivated_at is not null as barred,
       (select count(*) from excluded_cohort x where x.version_id = q.version_id
           and (x.purpose is null or x.purpose = q.purpose)) as excluded_now,
       {DUE} as expiries_due
from query q join agreement a on a.id = q.agreement_id join dataset d on d.id = q.dataset_id
join organisation s on s.id = q.organisation_id join person p on p.id = q.person_id
where q.id = :id and q.state in ('queued', 'running') for update of q for share of a
""")

HELD = text("""
select id, hold_id, organisation_id, owner_id, person_id, agreement_id, dataset_id, purpose, version_id, revision,
       bytes, quote_vnd, excluded_seen
from query where id = :id and state in ('queued', 'running')
""")


class _RanOut(Exception):
    """Consents ran out while the query ran: their cohorts are to go before anything is decided on them."""


async def settle(services: Services, held: Held, prepared: Prepared, outcome: Outcome) -> Any | None:
    """Post the hold and release the answer; void both if agreement or cohorts changed underneath (invariant 5).

    The finished row of `query`; None if somebody else ended it before.
    """
    rows_mode = prepared.version is not None and prepared.version.mode == "rows"
    cap = services.config.rows_cap_multiple * prepared.version.rows if prepared.version and rows_mode else None
    keep_s = services.config.result_lifetime_s
    over = Outcome(failure="query.rows_cap_reached", params={"cap": cap}, usage=outcome.usage)
    if outcome.result and cap is not None and outcome.result.rows > cap:
        outcome = over
    no_records_left = partial(charged, held, prepared, over, keep_s=keep_s, cap=None)
    ending = charged(held, prepared, outcome, keep_s=keep_s, cap=cap)
    while True:
        with suppress(_RanOut):
            return await _end(services.database, services.keys, held, ending, no_records_left)
        async with services.database.session() as session:
            await expire(session, dataset_id=held.dataset_id, store=services.store)


async def void(
    database: Database, keys: Keys, held: Held, *, code: str, params: dict[str, Any] | None = None
) -> Any | None:
    """Give the hold back: the query failed before the jail, or through no doing of the caller."""
    ending = voided(held, await _stood_on(database, keys, held), code=code, params=params or {})
    return await _end(database, keys, held, ending, lambda: ending)


async def read_held(database: Database, query_id: UUID) -> Held | None:
    """A query that somebody left; None: it has ended."""
    found = await database.one(HELD, {"id": query_id})
    return Held(**found._asdict()) if found else None


async def _stood_on(database: Database, keys: Keys, held: Held) -> Kept | None:
    """What the query was let in on. That it cannot be read holds no money back."""
    try:
        async with database.reading() as session:
            return await kept_of(session, keys, held.id)
    except FactsUnreadable as unreadable:
        logger.error("query %s is voided without its facts: %s", held.id, unreadable.params)
        return None


async def _end(
    database: Database, keys: Keys, held: Held, ending: Ending, no_records_left: Callable[[], Ending]
) -> Any | None:
    """End it this way, or the way that what was found under the locks asks for. Each change is for good."""
    while True:
        async with database.unit() as unit:
            found, counted, row = await _attempt(unit, held, ending)
            if found and ending.stands and found.expiries_due:
                raise _RanOut
            changed = _changed(found, held) if found and ending.stands else None
            if found and changed is None and counted:
                return row
            await unit.undo()
        if found is None:
            return None
        if changed:
            ending = voided(held, await _stood_on(database, keys, held), code=changed, params={})
        else:
            ending = no_records_left()


async def _attempt(unit: Unit, held: Held, ending: Ending) -> tuple[Any | None, bool, Any | None]:
    """What LOCKED found, whether the records could be counted, and the finished row. Raises as `require_made`."""
    lock = [version_locked(held.version_id, shared=True)] if ending.stands else []
    meter = [ending.meter] if ending.meter else []
    sent = [*lock, Statement(LOCKED, {"id": held.id}), *meter, booking(ending.movements), *ending.writes]
    answers = await unit.send(sent)
    found = answers[len(lock)]
    if not found:
        return None, False, None
    verdict = answers[len(lock) + 1 + len(meter)][0]
    require_made(verdict, ending.movements)
    counted = bool(answers[len(lock) + 1]) if meter else True
    return found[0], counted, answers[-1][0]


def _changed(found: Any, held: Held) -> str | None:
    """What the decision stood on and is no more; None: it stands."""
    if found.over:
        return "query.agreement_ended"
    if found.barred:
        return "query.caller_barred"
    return "query.data_changed" if found.excluded_now != held.excluded_seen else None
