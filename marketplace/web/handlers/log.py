"""The log: the regulator sees all of it, each party its own part; reading across tenants is logged too."""

from __future__ import annotations

import json
import uuid
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final

import msgspec
from litestar import Response, get
from litestar.params import Parameter
from litestar.response import Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.audit.api import viewer_of
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import newest_checkpoint
from marketplace.audit.reads import EventView, Filter
from marketplace.audit.receipt import encode
from marketplace.audit.receipts import RECEIPTED, receipt_for
from marketplace.audit.viewing import view_events
from marketplace.config import Config
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.web.explain import explain_reasons
from marketplace.web.figures import VIETNAM
from marketplace.web.forms import wrong
from marketplace.web.headers import as_file
from marketplace.web.names import all_datasets, all_organisations, names_of
from marketplace.web.view import View
from marketplace.web.words import words
from policies.decision import Reason

EVENT_NAMES: Final = tuple(key.removeprefix("event.") for key in words() if key.startswith("event."))
Choice = Annotated[str | None, Parameter(max_length=100)]


@get("/log")
async def show_log(
    view: View,
    caller: Caller,
    session: AsyncSession,
    config: Config,
    keys: Keys,
    name: Choice = None,
    dataset: Choice = None,
    organisation: Choice = None,
    since: Choice = None,
    until: Choice = None,
    cursor: str | None = None,
) -> Template:
    """Events, newest first, filtered; below them the newest checkpoint and the key that it is signed with."""
    viewer = viewer_of(caller)
    chosen = Filter(
        name=name or None,
        dataset_id=_id("dataset", dataset),
        organisation_id=_id("organisation", organisation),
        since=_start("since", since),
        until=_start("until", until, days=1),
    )
    page = await view_events(session, viewer, chosen, cursor=cursor)
    sees_all = viewer.sees_all
    return view.page(
        "log.html",
        page=page,
        chosen=chosen,
        since=since or "",
        until=until or "",
        all=sees_all,
        names=EVENT_NAMES,
        datasets=await all_datasets(session),
        organisations=await all_organisations(session) if sees_all else [],
        people=await _names(session, page.items),
        checkpoint=await newest_checkpoint(session),
        key=str(verifier_key(config.log_origin, keys.log_signing())),
    )


@get("/log/events/{event_id:uuid}")
async def show_event(view: View, caller: Caller, session: AsyncSession, event_id: uuid.UUID) -> Template:
    """One event with what proves it."""
    page = await view_events(session, viewer_of(caller), Filter(event_id=event_id), limit=1)
    if not page.items:
        raise NotFound
    event = page.items[0]
    return view.page(
        "event.html",
        event=event,
        receipted=RECEIPTED,
        people=await _names(session, page.items),
        reasons=explain_reasons(view, _reasons(event)),
        body=json.dumps(event.body, ensure_ascii=False, indent=2, sort_keys=True) if event.body else "",
    )


@get("/decisions/{decision_id:uuid}/receipt")
async def download_decision_receipt(
    caller: Caller, session: AsyncSession, keys: Keys, decision_id: uuid.UUID
) -> Response[bytes]:
    """The receipt of a decision that is no query's, in the caller's edition."""
    caller.require("read")
    receipt = await receipt_for(
        session, keys, decision_id, kind=caller.organisation_kind, organisation_id=caller.organisation_id
    )
    return as_file(encode(receipt), "application/json", f"receipt-{decision_id}.json")


async def _names(session: AsyncSession, events: tuple[EventView, ...]) -> Any:
    return await names_of(
        session,
        people=(event.actor_person_id for event in events),
        organisations=(one for event in events for one in (event.actor_organisation_id, *event.parties)),
        datasets=(event.dataset_id for event in events),
    )


def _reasons(event: EventView) -> tuple[Reason, ...]:
    decision = (event.body or {}).get("decision")
    return msgspec.convert(decision["reasons"], tuple[Reason, ...]) if isinstance(decision, dict) else ()


def _id(name: str, text: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError as error:
        raise wrong(name, "form.id") from error


def _start(name: str, text: str | None, *, days: int = 0) -> datetime | None:
    """The first instant of a day in Viet Nam, `days` later."""
    try:
        day = date.fromisoformat(text) if text else None
        return datetime.combine(day, time.min, VIETNAM) + timedelta(days=days) if day else None
    except (ValueError, OverflowError) as error:
        raise wrong(name, "form.day") from error


handlers = [show_log, show_event, download_decision_receipt]
