"""The ways in which a query that holds money may end, each with all that it writes (DESIGN §2, step 8)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct, field
from sqlalchemy import text

from marketplace.audit.actions import recorded
from marketplace.audit.sealing import Kept, told
from marketplace.audit.settlement import Posted, settled_tree
from marketplace.billing.actions import query_charge, query_void
from marketplace.billing.budget import budget_spent, budget_void
from marketplace.db.base import utcnow
from marketplace.db.direct import write_json
from marketplace.db.together import Statement
from marketplace.ledger.actions import Movement
from marketplace.metering.actions import usage_recorded
from marketplace.queries.held import Held, LineRow
from marketplace.queries.keeping import AtRest
from marketplace.queries.lines import Line
from marketplace.queries.prepare import Prepared
from marketplace.queries.reads import LINES
from marketplace.queries.taken import billed, counted_less, uncounted
from sandbox.job import Result, Usage

FINISH = text(f"""
with stored as (
    insert into query_result (query_id, body, wrapped_key, size_bytes, expires_at)
    select :id, cast(:body as bytea), cast(:key as bytea), cast(:size as bigint), cast(:expires as timestamptz)
    where cast(:key as bytea) is not null
)
update query set state = :state, charged_vnd = :charged, failure = cast(:failure as jsonb), rows = :rows,
       output = cast(:output as jsonb), result_sha256 = :sha256, result_expires_at = :expires, finished_at = now(),
       runner = null, rho_micro = coalesce(cast(:rho as bigint), rho_micro)
where id = :id returning query.*, {LINES} as lines
""")

METER = text("""
insert into agreement_meter as m (agreement_id, records) values (:agreement, :records)
on conflict (agreement_id) do update set records = m.records + excluded.records
    where m.records + excluded.records <= :cap
returning records
""")

CANCELLED = "query.cancelled"
"""The code of a query that its owner ended; its state is then `cancelled`, not `failed`."""
OTHER_LINE = "query.other_line"
"""In the event of a line that did not cause the query's end: which other one did is its owner's affair."""
NOTHING = Usage(wall_us=0, cpu_us=0, peak_memory_bytes=0, result_bytes=0, engine_us=0)


class Outcome(Struct, frozen=True, kw_only=True):
    """What came out of the jail: an answer, or a failure that costs its quote."""

    result: Result | None = None
    sealed: AtRest | None = None
    """The result's stream, as it will rest."""
    sha256: str | None = None
    """Of the stream in the clear."""
    kept: Statement | None = None
    """dp mode: keeps the answer for the same question."""
    failure: str | None = None
    params: dict[str, Any] = field(default_factory=dict)
    usage: Usage | None = None


class Ending(Struct, frozen=True, kw_only=True):
    """`movements` are booked and `writes` written, together or not at all; the last of `writes` gives the row.

    `stands`: only while agreements, caller and cohorts are as they were decided upon. `meters`: each gives a row,
    or its agreement has no records left.
    """

    movements: list[Movement]
    writes: list[Statement]
    stands: bool
    meters: list[Statement] = []
    cancelled: bool = False


def charged(held: Held, prepared: Prepared, outcome: Outcome, *, keep_s: int, metered: bool) -> Ending:
    """What ended inside the jail costs its quote; an answer is kept for `keep_s`.

    `metered`: its records are counted under each agreement that lets records out.
    """
    result, sealed = outcome.result, outcome.sealed
    at_most, held = (
        held,
        billed(
            held,
            prepared,
            records=result.records if result else 0,
            cpu_us=outcome.usage.cpu_us if outcome.usage else 0,
        ),
    )
    expires = utcnow() + timedelta(seconds=keep_s) if result else None
    finish = {
        "id": held.id,
        "state": _state(outcome),
        "charged": held.quote_vnd,
        "failure": write_json({"code": outcome.failure, "params": outcome.params}) if outcome.failure else None,
        "rows": result.rows if result else None,
        "output": write_json(result.columns) if result else None,
        "sha256": outcome.sha256,
        "expires": expires,
        "body": sealed.body if sealed else None,
        "key": sealed.wrapped_key if sealed else None,
        "size": sealed.size_bytes if sealed else None,
        "rho": None,
    }
    lines = list(zip(held.lines, prepared.lines, strict=True))
    charge = [movement for part in held.parts() for movement in query_charge(part)]
    if held.budget_hold_id is not None:
        charge.append(budget_spent(hold_id=held.budget_hold_id, query_id=held.id))
    return Ending(
        movements=charge,
        writes=[
            *([outcome.kept] if outcome.kept else []),
            *counted_less(at_most, held),
            *(_usage(held, row, outcome) for row in held.lines),
            *(_event("query:settle", held, row, _settled(row, line, outcome, charge)) for row, line in lines),
            Statement(FINISH, finish),
        ],
        stands=True,
        meters=[_meter(line, result.records) for line in prepared.lines if line.rows_cap is not None]
        if result and metered
        else [],
        cancelled=outcome.failure == CANCELLED,
    )


def voided(
    held: Held,
    kept: Sequence[Kept | None],
    *,
    code: str,
    params: dict[str, Any],
    entered: bool,
    cause: UUID | None = None,
) -> Ending:
    """The holds go back: the query failed before the jail, or through no doing of the caller.

    `entered`: it was in a jail, so its privacy budget stays spent: whoever can bring such an ending about would
    learn for nothing how long the jail worked. `kept`: what was decided on each line when it entered, and on which
    facts; None if that was erased or cannot be read. `cause`: the dataset that it failed on, if on one; the owners
    of the others are not told which.
    """
    why = {"code": code, "params": params}
    budget, spent, rho = _budget(held, entered=entered)
    events = [
        _event(
            "query:void",
            held,
            row,
            _told(why, row, cause) | spent | _stood(each) | {"decision_id": row.decision_id},
        )
        for row, each in zip(held.lines, kept, strict=True)
    ]
    state = "cancelled" if code == CANCELLED else "failed"
    finish: dict[str, Any] = {"id": held.id, "state": state, "charged": 0, "failure": write_json(why), "rho": rho}
    empty = dict.fromkeys(("rows", "output", "sha256", "expires", "body", "key", "size"))
    return Ending(
        movements=[*(query_void(part) for part in held.parts()), *budget],
        writes=[*events, uncounted(held), Statement(FINISH, finish | empty)],
        stands=False,
        cancelled=code == CANCELLED,
    )


def _budget(held: Held, *, entered: bool) -> tuple[list[Movement], dict[str, int], int | None]:
    """What a voided query's budget becomes, what its event says of it, and what its row does (None: as it is)."""
    if held.budget_hold_id is None:
        return [], {}, None
    resolve = budget_spent if entered else budget_void
    moved = [resolve(hold_id=held.budget_hold_id, query_id=held.id)]
    return (moved, {"rho_micro": held.rho_micro}, None) if entered else (moved, {"rho_micro": 0}, 0)


def _meter(line: Line, rows: int) -> Statement:
    return Statement(METER, {"agreement": line.facts.agreement_id, "records": rows, "cap": line.rows_cap})


def _state(outcome: Outcome) -> str:
    if outcome.failure == CANCELLED:
        return "cancelled"
    return "ready" if outcome.result else "failed"


def _told(why: dict[str, Any], row: LineRow, cause: UUID | None) -> dict[str, Any]:
    return why if cause in (None, row.dataset_id) else {"code": OTHER_LINE, "params": {}}


def _stood(kept: Kept | None) -> dict[str, Any]:
    if kept is None:
        return {}
    return {"decision": told(kept.decision), "facts": kept.tree.head, "columns": kept.columns}


def _settled(row: LineRow, line: Line, outcome: Outcome, charge: Sequence[Movement]) -> dict[str, Any]:
    usage = msgspec.to_builtins(outcome.usage or NOTHING)
    posted = (Posted(each.code, each.id, each.amount or 0) for each in charge if each.dataset_id == row.dataset_id)
    rows = outcome.result.rows if outcome.result else 0
    spent = {"rho_micro": line.spend.cost_micro} if line.spend else {}
    return spent | {
        "decision_id": row.decision_id,
        "decision": told(line.decision),
        "facts": line.tree.head,
        "offer": row.offer_id,
        "price": [[item.code, item.amount_vnd] for item in row.items],
        "usage": {"rows": rows, "bytes": row.bytes},
        "settled": settled_tree(usage, posted, line.tree.seed).head,
        "columns": list(line.reads),
        "outcome": _state(outcome),
        "failure": outcome.failure,
        "result_sha256": outcome.sha256,
    }


def _usage(held: Held, row: LineRow, outcome: Outcome) -> Statement:
    usage = outcome.usage or NOTHING
    assert row.version_id is not None  # an allowed query has listed versions
    return usage_recorded(
        query_id=held.id,
        organisation_id=held.organisation_id,
        owner_id=row.owner_id,
        person_id=held.person_id,
        agreement_id=row.agreement_id,
        dataset_id=row.dataset_id,
        version_id=row.version_id,
        outcome=_state(outcome),
        bytes=row.bytes,
        rows=outcome.result.rows if outcome.result else 0,
        cpu_us=usage.cpu_us,
        wall_us=usage.wall_us,
        peak_memory_bytes=usage.peak_memory_bytes,
        price_vnd=row.quote_vnd,
        items=msgspec.json.encode(row.items),
    )


def _event(name: str, held: Held, row: LineRow, body: dict[str, Any]) -> Statement:
    return recorded(
        name,
        actor_person_id=held.person_id,
        actor_organisation_id=held.organisation_id,
        parties=(held.organisation_id, *row.owners),
        dataset_id=row.dataset_id,
        agreement_id=row.agreement_id,
        query_id=held.id,
        purpose=held.purpose,
        version_id=row.version_id,
        revision=row.revision,
        bytes=row.bytes,
        price_vnd=0 if name == "query:void" else row.quote_vnd,
        body=body,
    )
