"""Alerts: every rule looks at what is new, each cause gives one alert, a reader says what came of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta, Struct
from psycopg.errors import (
    DeadlockDetected,
    DiskFull,
    LockNotAvailable,
    OutOfMemory,
    QueryCanceled,
    SerializationFailure,
)
from sqlalchemy import select, text, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Reader
from marketplace.audit.actions import record
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.cursor import PAGE_ROWS, cut, decode_cursor, encode_cursor
from marketplace.db.engine import Database
from marketplace.errors import Forbidden, NotFound
from marketplace.oversight.errors import AlertAnswered
from marketplace.oversight.models import Alert
from marketplace.oversight.rules import (
    audit_failed,
    audit_late,
    budget_drained,
    class_drift,
    consent_used,
    denial_burst,
    event_refused,
    incident_due,
    month_stuck,
    night_export,
    outside_differs,
    payout_odd,
    witness_refused,
)
from marketplace.oversight.rules.rule import Cause, Rule, Span

logger = logging.getLogger(__name__)

RULES = (
    consent_used.RULE, denial_burst.RULE, budget_drained.RULE, night_export.RULE, class_drift.RULE,
    incident_due.RULE, month_stuck.RULE, audit_failed.RULE, audit_late.RULE,
    witness_refused.RULE, event_refused.RULE, payout_odd.RULE, outside_differs.RULE,
)  # fmt: skip
STUCK = "rule_stuck"
FREE_SPENT = "free_spent"
OF_THE_EXCHANGE = (
    audit_failed.RULE.name, audit_late.RULE.name, witness_refused.RULE.name, event_refused.RULE.name,
    payout_odd.RULE.name, outside_differs.RULE.name, STUCK, FREE_SPENT,
)  # fmt: skip
"""Alerts about the exchange itself: the operator sees these, and no other."""
SPAN_LEAVES = 20_000
TRIES = 3
"""So often a rule that met a lock is tried in one look; the next look tries it again."""
_TOO_MUCH = (QueryCanceled, DiskFull, OutOfMemory)
_IN_THE_WAY = (DeadlockDetected, LockNotAvailable, SerializationFailure)
REASON_CHARACTERS = 2_000
_LOCK = 0x5D1_A1E
_TURN = text("SELECT pg_advisory_xact_lock(:lock)")
_BEGUN = text("""
    INSERT INTO alert_progress (rule, leaf)
    SELECT rule, coalesce((SELECT max(leaf) FROM alert_progress), 0) FROM unnest(CAST(:rules AS text[])) AS rule
    ON CONFLICT DO NOTHING
""")
"""A rule that is new begins where the others are."""
_SPAN = text("""
    SELECT progress.leaf, least(coalesce(checkpoint.size, 0), progress.leaf + :most) AS until
    FROM alert_progress AS progress LEFT JOIN (SELECT max(size) AS size FROM checkpoint) AS checkpoint ON true
    WHERE progress.rule = :rule
""")
_LOOKED = text("UPDATE alert_progress SET leaf = :until WHERE rule = :rule AND leaf < :until")


class AlertView(Struct, frozen=True, kw_only=True):
    """`told`: what the rule found. Acknowledged: by whom, when and why."""

    id: UUID
    rule: str
    told: dict[str, Any]
    dataset_id: UUID | None
    organisation_id: UUID | None
    raised_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: UUID | None
    reason: str | None


class AlertPage(Struct, frozen=True):
    """Newest first."""

    items: tuple[AlertView, ...]
    next: str | None


class Acknowledgement(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(min_length=10, max_length=REASON_CHARACTERS)]


async def look(
    database: Database,
    *,
    at: datetime,
    rules: Sequence[Rule] = RULES,
    audit_late_h: int = Config().audit_late_h,
    salt_key: bytes = b"",
) -> int:
    """Each rule looks at all leaves that it did not see; how many alerts were raised. Safe at any time, by any
    process. A rule that fails is told, keeps its place, and stops no other. `salt_key`: the log's."""
    async with database.session() as session:
        await session.execute(_BEGUN, {"rules": [rule.name for rule in rules]})
    now = Span(since=0, until=0, at=at, audit_late_h=audit_late_h, salt_key=salt_key)
    return sum([await _look(database, rule, now) for rule in rules])


class _Step(Struct, frozen=True):
    """One look: `leaves` that it was about, and what it failed on."""

    raised: int
    since: int
    leaves: int
    failed: Exception | None = None


async def _look(database: Database, rule: Rule, now: Span) -> int:
    """What takes too much is looked at in smaller spans, down to a leaf; what met a lock, again."""
    raised, most, tries = 0, SPAN_LEAVES, TRIES
    while tries:
        step = await _step(database, rule, now, most)
        raised += step.raised
        if step.failed is None:
            if step.leaves < most:
                break
            most = min(2 * most, SPAN_LEAVES)
        elif _is(step.failed, _IN_THE_WAY):
            tries -= 1
        elif _is(step.failed, _TOO_MUCH) and step.leaves > 1:
            most = step.leaves // 2
        else:
            return raised + await _tell_stuck(database, rule, step.since, step.failed)
    return raised


async def _step(database: Database, rule: Rule, now: Span, most: int) -> _Step:
    """Raises OperationalError when the database is away: all is looked at again then."""
    async with database.session() as session:
        await session.execute(_TURN, {"lock": _LOCK})
        since, until = (await session.execute(_SPAN, {"rule": rule.name, "most": most})).one()
        span = msgspec.structs.replace(now, since=since, until=max(since, until))
        try:
            async with session.begin_nested():
                raised = await _apply(session, rule, span)
        except Exception as failed:
            if isinstance(failed, OperationalError) and not _is(failed, _TOO_MUCH + _IN_THE_WAY):
                raise
            logger.warning("rule %s failed on leaves %d to %d", rule.name, since, until, exc_info=True)
            return _Step(0, since, span.until - since, failed)
        await session.execute(_LOOKED, {"rule": rule.name, "until": until})
        return _Step(raised, since, span.until - since)


async def _apply(session: AsyncSession, rule: Rule, span: Span) -> int:
    raised = 0
    for cause in await rule.look(session, span):
        raised += await _raise(session, rule.name, cause)
    return raised


async def _tell_stuck(database: Database, rule: Rule, since: int, failed: Exception) -> int:
    """Once a rule and place, whatever stops it there."""
    why = type(getattr(failed, "orig", None) or failed).__name__
    told = {"stuck_rule": rule.name, "from_leaf": since, "why": why}
    logger.error("rule %s is stuck at leaf %d: %s", rule.name, since, why)
    async with database.session() as session:
        return await _raise(session, STUCK, Cause(key=f"{rule.name}/{since}", told=told))


def _is(failed: Exception, kinds: tuple[type[Exception], ...]) -> bool:
    return isinstance(failed, OperationalError) and isinstance(failed.orig, kinds)


async def raise_free_spent(database: Database, refused: Mapping[UUID, int], *, at: datetime) -> int:
    """`refused`: requests by organisation, since it was last told. One alert an organisation and day (UTC)."""
    async with database.session() as session:
        return sum(
            [
                await _raise(
                    session,
                    FREE_SPENT,
                    Cause(key=f"{tenant}/{at.date()}", told={"refused": count}, organisation_id=tenant),
                )
                for tenant, count in sorted(refused.items())
            ]
        )


async def _raise(session: AsyncSession, rule: str, cause: Cause) -> bool:
    row = {
        "id": new_id(), "rule": rule, "cause": cause.key, "told": cause.told, "dataset_id": cause.dataset_id,
        "organisation_id": cause.organisation_id,
    }  # fmt: skip
    made = insert(Alert).values(row).on_conflict_do_nothing().returning(Alert.id)
    alert_id = await session.scalar(made)
    if alert_id is None:
        return False
    body = {"alert": alert_id, "rule": rule, "told": cause.told, "about": cause.organisation_id}
    # No party: whom it is about must not learn from the log that the regulator looks.
    await record(session, "alert:raise", body=body)
    return True


async def acknowledge(session: AsyncSession, *, alert_id: UUID, reason: str, by: Reader) -> AlertView:
    """Raises NotFound, AlertAnswered."""
    row = await session.get(Alert, alert_id, with_for_update=True)
    if row is None:
        raise NotFound
    if row.acknowledged_at is not None:
        raise AlertAnswered
    row.acknowledged_at, row.acknowledged_by, row.reason = utcnow(), by.person_id, reason
    await session.flush()
    await record(
        session,
        "alert:acknowledge",
        by=by,
        parties=(by.organisation_id,),
        body={"alert": alert_id, "rule": row.rule, "reason": reason},
    )
    return _view(row)


async def alerts(
    session: AsyncSession, *, by: Caller, is_open: bool | None = None, cursor: str | None = None
) -> AlertPage:
    """A page of alerts, all or those that nobody has (has) acknowledged: the regulator's readers see every one,
    the operator those about the exchange. Raises Forbidden, ScopeMissing, Invalid for a cursor not ours."""
    by.require("audit")
    sees_all = by.organisation_kind == "regulator" and "reader" in by.roles
    if not sees_all and by.organisation_kind != "operator":
        raise Forbidden(needs="regulator:reader|operator")
    query = select(Alert).order_by(Alert.raised_at.desc(), Alert.id.desc()).limit(PAGE_ROWS + 1)
    if is_open is not None:
        answered = Alert.acknowledged_at
        query = query.where(answered.is_(None) if is_open else answered.is_not(None))
    if not sees_all:
        query = query.where(Alert.rule.in_(OF_THE_EXCHANGE))
    if cursor is not None:
        query = query.where(tuple_(Alert.raised_at, Alert.id) < decode_cursor(cursor, tuple[datetime, UUID]))
    shown, last = cut((await session.scalars(query)).all(), PAGE_ROWS)
    following = encode_cursor(last.raised_at, last.id) if last else None
    return AlertPage(tuple(_view(row) for row in shown), following)


def _view(row: Alert) -> AlertView:
    return AlertView(**{name: getattr(row, name) for name in AlertView.__struct_fields__})
