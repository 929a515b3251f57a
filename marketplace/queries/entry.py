"""Step 6: what transaction one writes when a query enters, with its hold or with its denial."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy import text

from marketplace.accounts.callers import Caller
from marketplace.audit.actions import recorded
from marketplace.audit.sealing import Sealed
from marketplace.billing.actions import query_hold
from marketplace.db.together import Statement
from marketplace.ledger.actions import Movement, booking
from marketplace.queries.endings import Held
from marketplace.queries.prepare import Prepared
from marketplace.queries.schemas import Ask

_ENTER = text("""
insert into query (id, organisation_id, person_id, agreement_id, dataset_id, owner_id, purpose, sql, state,
    version_id, revision, decision, columns, bytes, quote_vnd, charged_vnd, excluded_seen, hold_id,
    runner, created_at, finished_at)
values (:id, :organisation_id, :person_id, :agreement_id, :dataset_id, :owner_id, :purpose, :sql, :state,
    :version_id, :revision, cast(:decision as jsonb), cast(:columns as text[]), :bytes,
    :quote_vnd, :charged_vnd, :excluded_seen, :hold_id, :runner, :created_at, :finished_at)
""")


class Entry(Struct, frozen=True, kw_only=True):
    """An allowed query has `hold` and `held`, its booking the first of `writes`; a denied one has neither."""

    query_id: UUID
    writes: list[Statement]
    hold: Movement | None = None
    held: Held | None = None


def admitted(caller: Caller, ask: Ask, prepared: Prepared, sealed: Sealed, *, runner: int) -> Entry:
    """An allowed query: its hold and its row."""
    hold = query_hold(query_id=sealed.row.id, startup_id=caller.organisation_id, amount_vnd=prepared.price_vnd)
    row = _row(caller, ask, prepared, sealed) | {"state": "running", "hold_id": hold.id, "runner": runner}
    held = Held(**{name: row[name] for name in Held.__struct_fields__})
    return Entry(
        query_id=sealed.row.id,
        writes=[booking([hold]), Statement(_ENTER, row), sealed.stored],
        hold=hold,
        held=held,
    )


def refused(caller: Caller, ask: Ask, prepared: Prepared, sealed: Sealed) -> Entry:
    """A denied query: its row and the event."""
    ended = {"state": "denied", "charged_vnd": 0, "finished_at": sealed.row.at}
    row = _row(caller, ask, prepared, sealed) | ended
    event = denied(caller, prepared, sealed, query_id=sealed.row.id)
    return Entry(query_id=sealed.row.id, writes=[Statement(_ENTER, row), sealed.stored, event])


def denied(caller: Caller, prepared: Prepared, sealed: Sealed, *, query_id: UUID | None) -> Statement:
    """The event of a denial; without an id it was a quote."""
    facts = prepared.facts
    return recorded(
        "query:deny" if query_id else "quote:deny",
        actor_person_id=caller.person_id,
        actor_organisation_id=caller.organisation_id,
        parties=(facts.startup_id, facts.owner_id),
        dataset_id=facts.dataset_id,
        agreement_id=facts.agreement_id,
        query_id=query_id,
        purpose=prepared.question.request.purpose,
        version_id=facts.version_id,
        revision=facts.revision,
        bytes=prepared.bytes,
        price_vnd=0,
        body=sealed.body | {"columns": list(prepared.reads)},
    )


def _row(caller: Caller, ask: Ask, prepared: Prepared, sealed: Sealed) -> dict[str, Any]:
    facts = prepared.facts
    return {
        "id": sealed.row.id,
        "organisation_id": caller.organisation_id,
        "person_id": caller.person_id,
        "agreement_id": facts.agreement_id,
        "dataset_id": facts.dataset_id,
        "owner_id": facts.owner_id,
        "purpose": ask.purpose,
        "sql": ask.sql,
        "version_id": facts.version_id,
        "revision": facts.revision,
        "excluded_seen": len(facts.excluded),
        "decision": msgspec.json.encode(prepared.decision).decode(),
        "columns": list(prepared.reads),
        "bytes": prepared.bytes,
        "quote_vnd": prepared.price_vnd,
        "charged_vnd": None,
        "hold_id": None,
        "runner": None,
        "created_at": sealed.row.at,
        "finished_at": None,
    }
