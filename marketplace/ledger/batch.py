"""Many groups of linked transfers in one call: each is made or refused by itself, and says which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

from msgspec import Struct
from psycopg.errors import IntegrityError
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.together import Statement, perform_all
from marketplace.errors import Problem
from marketplace.ledger.actions import MAX_LINKED, Movement, booking, broken, require_made, require_same

_LOCK = text("""
select from account_balance where account_id in (
    select unnest(cast(:accounts as uuid[]))
    union select debit_account_id from transfer where id = any(cast(:holds as uuid[]))
    union select credit_account_id from transfer where id = any(cast(:holds as uuid[])))
order by account_id for update
""")


class Outcome(Struct, frozen=True):
    """What became of a movement. `cause`: why it was refused, and of which line of its group that is told."""

    movement: Movement
    became: Literal["made", "existed", "refused"]
    cause: Problem | None = None


async def transfer_each(session: AsyncSession, groups: Sequence[Sequence[Movement]]) -> list[Outcome]:
    """Make every group that can be made, in this order; of each movement what became of it, in the same order.

    A group is all or none, a batch at most MAX_LINKED movements. A refusal undoes nothing else. Raises AtOnce if
    somebody makes one of them at this moment; then the unit of work can only be rolled back, and asked again.
    """
    every = [each for group in groups for each in group]
    if not 0 < len(every) <= MAX_LINKED:
        raise ValueError(f"{len(every)} transfers in a batch")
    if len({each.id for each in every}) < len(every):
        raise ValueError("two transfers of a batch with one id")
    try:
        if _resolves_once(every) and (await _verdicts(session, [every]))[0].made:
            # What together takes from no account more than it has takes it in no order either.
            return [Outcome(each, "made") for each in every]
        await perform_all(session, [_locks(every)])
        verdicts = await _verdicts(session, groups)
    except IntegrityError as e:
        raise broken(e, every) from e
    told: list[Outcome] = []
    for group, verdict in zip(groups, verdicts, strict=True):
        told.extend(await _outcomes(session, group, verdict))
    return told


def _resolves_once(movements: Sequence[Movement]) -> bool:
    holds = [each.hold_id for each in movements if each.hold_id is not None]
    named = {each.id for each in movements}
    return len(set(holds)) == len(holds) and named.isdisjoint(holds)


def _locks(movements: Sequence[Movement]) -> Statement:
    """Locked group by group, two batches could wait for each other."""
    accounts = {each.debit for each in movements} | {each.credit for each in movements}
    holds = {each.hold_id for each in movements}
    return Statement(_LOCK, {"accounts": _ids(accounts), "holds": _ids(holds)})


def _ids(found: set[UUID | None]) -> list[UUID]:
    return [each for each in found if each is not None]


async def _verdicts(session: AsyncSession, groups: Sequence[Sequence[Movement]]) -> list[Any]:
    return [answer[0] for answer in await perform_all(session, [booking(group) for group in groups])]


async def _outcomes(session: AsyncSession, group: Sequence[Movement], verdict: Any) -> list[Outcome]:
    try:
        if verdict.same:
            await require_same(session, group)
            return [Outcome(each, "existed") for each in group]
        require_made(verdict, group)
    except Problem as cause:
        return [Outcome(each, "refused", cause) for each in group]
    return [Outcome(each, "made") for each in group]
