"""The ways in which a query that holds money may end, each with all that it writes (DESIGN §2, step 8)."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field
from sqlalchemy import text

from marketplace.audit.actions import recorded
from marketplace.audit.sealing import Kept, told
from marketplace.billing.actions import query_charge, query_void
from marketplace.db.base import utcnow
from marketplace.db.together import Statement
from marketplace.ledger.actions import Movement
from marketplace.metering.actions import usage_recorded
from marketplace.queries.prepare import Prepared
from sandbox.job import Result, Usage

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

METER = text("""
insert into agreement_meter as m (agreement_id, records) values (:agreement, :records)
on conflict (agreement_id) do update set records = m.records + excluded.records
    where m.records + excluded.records <= :cap
returning records
""")

NOTHING = Usage(wall_us=0, cpu_us=0, peak_memory_bytes=0, result_bytes=0, engine_us=0)


class Held(Struct, frozen=True, kw_only=True):
    """A query whose price is set aside. `excluded_seen`: exclusions in force when it was decided."""

    id: UUID
    hold_id: UUID
    organisation_id: UUID
    owner_id: UUID
    person_id: UUID
    agreement_id: UUID
    dataset_id: UUID
    purpose: str
    version_id: str
    revision: int
    bytes: int
    quote_vnd: int
    excluded_seen: int


class Outcome(Struct, frozen=True, kw_only=True):
    """What came out of the jail: an answer, or a failure that costs its quote."""

    result: Result | None = None
    failure: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    usage: Usage | None = None


class Ending(Struct, frozen=True, kw_only=True):
    """`movements` are booked and `writes` written, together or not at all; the last of `writes` gives the row.

    `stands`: only while agreement, caller and cohorts are as they were decided upon. `meter`: gives a row, or the
    agreement has no records left.
    """

    movements: list[Movement]
    writes: list[Statement]
    stands: bool
    meter: Statement | None = None


def charged(held: Held, prepared: Prepared, outcome: Outcome, *, keep_s: int, cap: int | None) -> Ending:
    """What ended inside the jail costs its quote; an answer is kept for `keep_s`.

    `cap`: records that may leave under the agreement, None if they are not counted (aggregate mode).
    """
    result = outcome.result
    sha256 = hashlib.sha256(result.stream).hexdigest() if result else None
    expires = utcnow() + timedelta(seconds=keep_s) if result else None
    meter = None
    if result and cap is not None:
        meter = Statement(METER, {"agreement": held.agreement_id, "records": result.rows, "cap": cap})
    finish = {
        "id": held.id,
        "state": "ready" if result else "failed",
        "charged": held.quote_vnd,
        "failure": _json({"code": outcome.failure, "params": outcome.params}) if outcome.failure else None,
        "rows": result.rows if result else None,
        "output": _json(result.columns) if result else None,
        "sha256": sha256,
        "expires": expires,
        "body": result.stream if result else None,
    }
    return Ending(
        movements=query_charge(
            hold_id=held.hold_id, query_id=held.id, owner_id=held.owner_id, amount_vnd=held.quote_vnd
        ),
        writes=[
            _usage(held, outcome),
            _event(
                "query:settle",
                held,
                price_vnd=held.quote_vnd,
                body=_settled(held, prepared, outcome, sha256),
            ),
            Statement(FINISH, finish),
        ],
        stands=True,
        meter=meter,
    )


def voided(held: Held, kept: Kept | None, *, code: str, params: dict[str, Any]) -> Ending:
    """The hold goes back: the query failed before the jail, or through no doing of the caller.

    `kept`: what was decided when it entered, and on which facts; None if they were erased or cannot be read.
    """
    why = {"code": code, "params": params}
    body = why | (_stood(kept) if kept else {})
    event = _event("query:void", held, price_vnd=0, body=body)
    finish: dict[str, Any] = {"id": held.id, "state": "failed", "charged": 0, "failure": _json(why)}
    empty = dict.fromkeys(("rows", "output", "sha256", "expires", "body"))
    return Ending(
        movements=query_void(hold_id=held.hold_id, query_id=held.id),
        writes=[event, Statement(FINISH, finish | empty)],
        stands=False,
    )


def _stood(kept: Kept) -> dict[str, Any]:
    return {"decision": told(kept.decision), "facts": kept.tree.head, "columns": kept.columns}


def _settled(held: Held, prepared: Prepared, outcome: Outcome, sha256: str | None) -> dict[str, Any]:
    rows = outcome.result.rows if outcome.result else 0
    return {
        "decision": told(prepared.decision),
        "facts": prepared.tree.head,
        "usage": msgspec.to_builtins(outcome.usage or NOTHING) | {"rows": rows, "bytes": held.bytes},
        "columns": list(prepared.reads),
        "outcome": "ready" if outcome.result else "failed",
        "failure": outcome.failure,
        "result_sha256": sha256,
    }


def _usage(held: Held, outcome: Outcome) -> Statement:
    usage = outcome.usage or NOTHING
    return usage_recorded(
        query_id=held.id,
        organisation_id=held.organisation_id,
        owner_id=held.owner_id,
        person_id=held.person_id,
        agreement_id=held.agreement_id,
        dataset_id=held.dataset_id,
        version_id=held.version_id,
        outcome="ready" if outcome.result else "failed",
        bytes=held.bytes,
        rows=outcome.result.rows if outcome.result else 0,
        cpu_us=usage.cpu_us,
        wall_us=usage.wall_us,
        peak_memory_bytes=usage.peak_memory_bytes,
        price_vnd=held.quote_vnd,
    )


def _event(name: str, held: Held, *, price_vnd: int, body: dict[str, Any]) -> Statement:
    return recorded(
        name,
        actor_person_id=held.person_id,
        actor_organisation_id=held.organisation_id,
        parties=(held.organisation_id, held.owner_id),
        dataset_id=held.dataset_id,
        agreement_id=held.agreement_id,
        query_id=held.id,
        purpose=held.purpose,
        version_id=held.version_id,
        revision=held.revision,
        bytes=held.bytes,
        price_vnd=price_vnd,
        body=body,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
