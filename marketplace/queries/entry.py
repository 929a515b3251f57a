"""Step 6: what transaction one writes when a query enters, with its holds or with its denial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text

from marketplace.accounts.callers import Caller
from marketplace.audit.actions import recorded
from marketplace.audit.sealing import Sealed
from marketplace.billing.actions import query_hold
from marketplace.billing.budget import budget_hold
from marketplace.calendar import month_of
from marketplace.db.base import new_id
from marketplace.db.direct import write_json
from marketplace.db.together import Statement
from marketplace.ledger.actions import Movement, booking
from marketplace.queries.held import Held, LineRow
from marketplace.queries.lines import Line
from marketplace.queries.prepare import Prepared
from marketplace.queries.schemas import Ask
from marketplace.spending.counting import spent

_ENTER = text("""
with entered as (
    insert into query (id, organisation_id, person_id, purpose, sql, state, decision, bytes, quote_vnd,
        charged_vnd, rho_micro, budget_hold_id, runner, created_at, finished_at)
    values (:id, :organisation_id, :person_id, :purpose, :sql, :state, cast(:decision as jsonb), :bytes,
        :quote_vnd, :charged_vnd, :rho_micro, :budget_hold_id, :runner, :created_at, :finished_at)
)
insert into query_line (query_id, agreement_id, decision_id, dataset_id, owner_id, version_id, revision, columns,
    bytes, quote_vnd, offer_id, items, trial_vnd, hold_id, excluded_seen)
select :id, l.agreement_id, l.decision_id, l.dataset_id, l.owner_id, l.version_id, l.revision, l.columns, l.bytes,
    l.quote_vnd, l.offer_id, l.items, l.trial_vnd, l.hold_id, l.excluded_seen
from jsonb_to_recordset(cast(:lines as jsonb)) as l (agreement_id uuid, decision_id uuid, dataset_id uuid,
    owner_id uuid, version_id text, revision bigint, columns text[], bytes bigint, quote_vnd bigint,
    offer_id uuid, items jsonb, trial_vnd bigint, hold_id uuid, excluded_seen bigint)
""")


class Entry(Struct, frozen=True, kw_only=True):
    """An allowed query has `holds` and `held`, their booking and counting the first of `writes`; a denied one
    has neither.

    `holds`: of each line's price, and in dp mode of the privacy budget."""

    query_id: UUID
    writes: list[Statement]
    holds: list[Movement] = []
    held: Held | None = None


def admitted(
    caller: Caller, ask: Ask, prepared: Prepared, sealed: Sequence[Sealed], *, runner: int, waits: bool
) -> Entry:
    """An allowed query: the hold of each line, and its rows. `waits`: its turn has not come yet."""
    budget = _budget_holds(prepared, sealed[0].row.id)
    held = Held(
        id=sealed[0].row.id,
        organisation_id=caller.organisation_id,
        person_id=caller.person_id,
        purpose=ask.purpose,
        month=month_of(sealed[0].row.at),
        lines=tuple(_line(*each, hold_id=new_id()) for each in zip(prepared.lines, sealed, strict=True)),
        budget_hold_id=budget[0].id if budget else None,
        rho_micro=sum(hold.amount or 0 for hold in budget),
    )
    holds = [query_hold(part, startup_id=caller.organisation_id) for part in held.parts()]
    holds += budget
    state = "queued" if waits else "running"
    row = _row(caller, ask, prepared, sealed) | {"state": state, "runner": runner}
    row |= {"rho_micro": held.rho_micro, "budget_hold_id": held.budget_hold_id}
    entered = Statement(_ENTER, row | {"lines": write_json(held.lines)})
    return Entry(
        query_id=held.id,
        writes=[booking(holds), _counted(held, prepared), entered, *(each.stored for each in sealed)],
        holds=holds,
        held=held,
    )


def _counted(held: Held, prepared: Prepared) -> Statement:
    """It comes after the booking, which locks the wallet."""
    lines = [each.counted() for each in prepared.lines]
    return spent(lines, organisation_id=held.organisation_id, person_id=held.person_id, month=held.month)


def _budget_holds(prepared: Prepared, query_id: UUID) -> list[Movement]:
    spend = prepared.spend
    if spend is None or spend.stored is not None:
        return []
    agreement_id = prepared.lines[0].facts.agreement_id
    return [budget_hold(query_id=query_id, agreement_id=agreement_id, rho_micro=spend.rho_micro)]


def refused(caller: Caller, ask: Ask, prepared: Prepared, sealed: Sequence[Sealed]) -> Entry:
    """A denied query: its rows, and the event of each line that was denied."""
    ended = {"state": "denied", "charged_vnd": 0, "finished_at": sealed[0].row.at}
    lines = [_line(*each, hold_id=None) for each in zip(prepared.lines, sealed, strict=True)]
    row = _row(caller, ask, prepared, sealed) | ended | {"lines": write_json(lines)}
    query_id = sealed[0].row.id
    events = denied(caller, prepared, sealed, query_id=query_id)
    # What was allowed beside a denial is kept too: the same request again is answered from it.
    return Entry(query_id=query_id, writes=[Statement(_ENTER, row), *(each.stored for each in sealed), *events])


def denied(
    caller: Caller, prepared: Prepared, sealed: Sequence[Sealed], *, query_id: UUID | None
) -> list[Statement]:
    """The event of each dataset that was denied; without an id it was a quote."""
    return [
        recorded(
            "query:deny" if query_id else "quote:deny",
            actor_person_id=caller.person_id,
            actor_organisation_id=caller.organisation_id,
            parties=line.facts.parties,
            dataset_id=line.facts.dataset_id,
            agreement_id=line.facts.agreement_id,
            query_id=query_id,
            purpose=line.question.request.purpose,
            version_id=line.facts.version_id,
            revision=line.facts.revision,
            bytes=line.bytes,
            price_vnd=0,
            body=each.body | {"columns": list(line.reads)},
        )
        for line, each in zip(prepared.lines, sealed, strict=True)
        if not line.decision.allow
    ]


def _line(line: Line, sealed: Sealed, *, hold_id: UUID | None) -> LineRow:
    facts = line.facts
    return LineRow(
        agreement_id=facts.agreement_id,
        decision_id=sealed.row.id,
        dataset_id=facts.dataset_id,
        owner_id=facts.owner_id,
        partner_id=facts.partner_id,
        lead_basis_points=facts.lead_basis_points,
        version_id=facts.version_id,
        revision=facts.revision,
        columns=line.reads,
        bytes=line.bytes,
        quote_vnd=line.price_vnd,
        offer_id=facts.offer_id,
        items=line.price.items,
        trial_vnd=line.price.trial_vnd,
        hold_id=hold_id,
        excluded_seen=len(facts.excluded),
    )


def _row(caller: Caller, ask: Ask, prepared: Prepared, sealed: Sequence[Sealed]) -> dict[str, Any]:
    return {
        "id": sealed[0].row.id,
        "organisation_id": caller.organisation_id,
        "person_id": caller.person_id,
        "purpose": ask.purpose,
        "sql": ask.sql,
        "decision": write_json(prepared.decision),
        "bytes": prepared.bytes,
        "quote_vnd": prepared.price_vnd,
        "charged_vnd": None,
        "rho_micro": 0,
        "budget_hold_id": None,
        "runner": None,
        "created_at": sealed[0].row.at,
        "finished_at": None,
    }
