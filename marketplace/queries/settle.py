"""Step 8, transaction two: usage, posted hold, event and answer are ready together, or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Row, RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.billing.actions import charge_query, void_query
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.locks import lock_version
from marketplace.metering.actions import record_usage
from marketplace.queries.prepare import Prepared
from marketplace.queries.services import Services
from policies.decision import Decision
from sandbox.job import Result, Usage

LOCKED = text("""
select q.state, q.hold_id, q.organisation_id, q.owner_id, q.person_id, q.agreement_id, q.dataset_id, q.purpose,
       q.version_id, q.revision, q.bytes, q.quote_vnd, q.excluded_seen,
       a.ended_at is not null or a.expires_at <= now() as over,
       s.suspended_at is not null or p.deactivated_at is not null as barred,
       (select count(*) from excluded_cohort x where x.version_id = q.version_id
           and (x.purpose is null or x.purpose = q.purpose)) as excluded_now
from query q join agreement a on a.id = q.agreement_id
join organisation s on s.id = q.organisation_id join person p on p.id = q.person_id
where q.id = :id and q.state in ('queued', 'running') for update of q for share of a
""")

METER = text("""
insert into agreement_meter as m (agreement_id, records) values (:agreement, :records)
on conflict (agreement_id) do update set records = m.records + excluded.records
    where m.records + excluded.records <= :cap
returning records
""")

FINISH = text("""
with stored as (
    insert into query_result (query_id, body, expires_at)
    select :id, cast(:body as bytea), cast(:expires as timestamptz) where cast(:body as bytea) is not null
)
update query set state = :state, charged_vnd = :charged, failure = cast(:failure as jsonb), rows = :rows,
       output = cast(:output as jsonb), result_sha256 = :sha256, result_expires_at = :expires, finished_at = now(),
       runner = null
where id = :id returning query.*
""")

NOTHING = Usage(wall_us=0, cpu_us=0, peak_memory_bytes=0, result_bytes=0, engine_us=0)


@dataclass(frozen=True)
class Outcome:
    """What came out of the jail: an answer, or a failure that costs its quote."""

    result: Result | None = None
    failure: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    usage: Usage | None = None


async def settle(services: Services, query_id: UUID, prepared: Prepared, outcome: Outcome) -> Row[Any] | None:
    """Post the hold and release the answer; void both if agreement or cohorts changed underneath (invariant 5).

    The finished row of `query`; None if somebody else ended it before.
    """
    async with services.database.session() as session:
        await lock_version(session, prepared.facts.version_id or "", shared=True)
        query = await _lock(session, query_id)
        if query is None:
            return None
        changed = _changed(query)
        if changed is not None:
            return await _void_locked(session, query_id, query, code=changed, params={})
        if outcome.result and prepared.version and prepared.version.mode == "rows":
            outcome = await _metered(session, services, prepared, outcome, outcome.result)
        return await _post(session, services, query_id, query, prepared, outcome)


async def void(
    database: Database, query_id: UUID, *, code: str, params: dict[str, Any] | None = None
) -> Row[Any] | None:
    """Give the hold back: the query failed before the jail, or through no doing of the caller."""
    async with database.session() as session:
        query = await _lock(session, query_id)
        if query is None:
            return None
        return await _void_locked(session, query_id, query, code=code, params=params or {})


def _changed(query: RowMapping) -> str | None:
    """What the decision stood on and is no more; None: it stands."""
    if query["over"]:
        return "query.agreement_ended"
    if query["barred"]:
        return "query.caller_barred"
    return "query.data_changed" if query["excluded_now"] != query["excluded_seen"] else None


async def _lock(session: AsyncSession, query_id: UUID) -> RowMapping | None:
    return (await session.execute(LOCKED, {"id": query_id})).mappings().one_or_none()


async def _metered(
    session: AsyncSession, services: Services, prepared: Prepared, outcome: Outcome, result: Result
) -> Outcome:
    """Count the records against the agreement's cap; over it nothing is released, and the run is still owed."""
    assert prepared.version is not None  # a query that ran has a version
    cap = services.config.rows_cap_multiple * prepared.version.rows
    counted = await session.execute(
        METER, {"agreement": prepared.facts.agreement_id, "records": result.rows, "cap": cap}
    )
    if counted.first() is None or result.rows > cap:
        return Outcome(failure="query.rows_cap_reached", params={"cap": cap}, usage=outcome.usage)
    return outcome


async def _post(
    session: AsyncSession,
    services: Services,
    query_id: UUID,
    query: RowMapping,
    prepared: Prepared,
    outcome: Outcome,
) -> Row[Any]:
    usage, result = outcome.usage or NOTHING, outcome.result
    state = "ready" if result else "failed"
    sha256 = hashlib.sha256(result.stream).hexdigest() if result else None
    expires = utcnow() + timedelta(seconds=services.config.result_lifetime_s) if result else None
    rows = result.rows if result else 0
    await record_usage(
        session,
        query_id=query_id,
        organisation_id=query["organisation_id"],
        owner_id=query["owner_id"],
        person_id=query["person_id"],
        agreement_id=query["agreement_id"],
        dataset_id=query["dataset_id"],
        version_id=query["version_id"],
        outcome=state,
        bytes=query["bytes"],
        rows=rows,
        cpu_us=usage.cpu_us,
        wall_us=usage.wall_us,
        peak_memory_bytes=usage.peak_memory_bytes,
        price_vnd=query["quote_vnd"],
    )
    await charge_query(
        session,
        hold_id=query["hold_id"],
        query_id=query_id,
        owner_id=query["owner_id"],
        amount_vnd=query["quote_vnd"],
    )
    await _log(
        session,
        "query:settle",
        query_id,
        query,
        price_vnd=query["quote_vnd"],
        body={
            "decision": logged(prepared.decision),
            "usage": msgspec.to_builtins(usage) | {"rows": rows, "bytes": query["bytes"]},
            "columns": list(prepared.reads),
            "outcome": state,
            "failure": outcome.failure,
            "result_sha256": sha256,
        },
        secrets=prepared.secrets(),
    )
    done = await session.execute(
        FINISH,
        {
            "id": query_id,
            "state": state,
            "charged": query["quote_vnd"],
            "failure": _json({"code": outcome.failure, "params": outcome.params}) if outcome.failure else None,
            "rows": rows if result else None,
            "output": _json(result.columns) if result else None,
            "sha256": sha256,
            "expires": expires,
            "body": result.stream if result else None,
        },
    )
    return done.one()


async def _void_locked(
    session: AsyncSession, query_id: UUID, query: RowMapping, *, code: str, params: dict[str, Any]
) -> Row[Any]:
    if query["hold_id"] is not None:
        await void_query(session, hold_id=query["hold_id"], query_id=query_id)
    await _log(session, "query:void", query_id, query, price_vnd=0, body={"code": code, "params": params})
    failure = _json({"code": code, "params": params})
    empty: dict[str, Any] = {"rows": None, "output": None, "sha256": None, "expires": None, "body": None}
    done = await session.execute(
        FINISH, {"id": query_id, "state": "failed", "charged": 0, "failure": failure} | empty
    )
    return done.one()


async def _log(
    session: AsyncSession,
    name: str,
    query_id: UUID,
    query: RowMapping,
    *,
    price_vnd: int,
    body: dict[str, Any],
    secrets: dict[str, str] | None = None,
) -> None:
    await record(
        session,
        name,
        actor_person_id=query["person_id"],
        actor_organisation_id=query["organisation_id"],
        parties=(query["organisation_id"], query["owner_id"]),
        dataset_id=query["dataset_id"],
        agreement_id=query["agreement_id"],
        query_id=query_id,
        purpose=query["purpose"],
        version_id=query["version_id"],
        revision=query["revision"],
        bytes=query["bytes"],
        price_vnd=price_vnd,
        body=body,
        secrets=secrets,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def logged(decision: Decision) -> dict[str, Any]:
    """The decision as every party of the event may see it: nothing that tells what the startup's wallet holds.

    The hash of the facts goes too: unsalted, it could be tried out; the salted `facts_commitment` stands for it.
    """
    told: dict[str, Any] = msgspec.to_builtins(decision)
    del told["facts_hash"]
    for reason in told["reasons"]:
        reason["params"] = {k: v for k, v in reason["params"].items() if k != "available_vnd"}
    return told
