"""The log: the regulator sees all of it, each party its own part; reading across tenants is logged too."""

from __future__ import annotations

import json
import uuid
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Response, get, post
from litestar.response import Redirect, Stream, Template
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.search import fold
from marketplace.accounts.callers import Caller, Reader
from marketplace.accounts.seats import Seats
from marketplace.audit.api import viewer_of
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import newest_checkpoint
from marketplace.audit.reads import EventView
from marketplace.audit.receipt import encode
from marketplace.audit.receipts import RECEIPTED, receipt_for
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import NotFound
from marketplace.oversight.exporting import export_stream
from marketplace.oversight.forms import FORMS
from marketplace.oversight.saved import (
    NAME_CHARACTERS,
    NewSearch,
    SearchView,
    remove_search,
    save_search,
    saved_searches,
)
from marketplace.oversight.search import Search
from marketplace.oversight.viewing import view_events
from marketplace.web.explain import explain_reasons
from marketplace.web.forms import Form, wrong
from marketplace.web.headers import as_file
from marketplace.web.names import all_datasets, all_organisations, names_of
from marketplace.web.searching import CHOICES, FIELDS, asked_fields, fields_of, search_of
from marketplace.web.view import AnyRequest, View
from policies.decision import Reason


@get("/log")
async def show_log(
    view: View, caller: Caller, session: AsyncSession, config: Config, keys: Keys, request: AnyRequest
) -> Template:
    """Events, newest first, as the form asks for them; below, the newest checkpoint and the key that signed it."""
    viewer = viewer_of(caller)
    fields = asked_fields(request.query_params)
    page = await view_events(session, viewer, search_of(fields), cursor=request.query_params.get("cursor"))
    sees_all = viewer.sees_all
    return view.page(
        "log.html",
        page=page,
        fields=fields,
        all=sees_all,
        bodies=viewer.view != "operator",
        choices={**CHOICES, "name": _by_words(view, CHOICES["name"])},
        kept=await _kept(session, caller),
        forms=FORMS,
        datasets=await all_datasets(session),
        organisations=await all_organisations(session) if sees_all else [],
        people=await _names(session, page.items),
        checkpoint=await newest_checkpoint(session),
        key=str(verifier_key(config.log_origin, keys.log_signing())),
    )


@post("/log/export", status_code=200)
async def export(
    view: View, caller: Caller, database: Database, config: Config, keys: Keys, exports: Seats, form: Form
) -> Stream:
    """The events that the form asks for, as a zip with its manifest."""
    fields = asked_fields({name: form.text(name) for name in FIELDS})
    chosen = next((each for each in FORMS if each == form.text("form")), None)
    if chosen is None:
        raise wrong("form", "form.text")
    return await export_stream(database, config, keys, exports, viewer_of(caller), search_of(fields), chosen)


@post("/log/searches", status_code=303)
async def keep_search(view: View, reader: Reader, session: AsyncSession, form: Form) -> Redirect:
    """Keep what the form asks for under a name."""
    fields = asked_fields({name: form.text(name) for name in FIELDS})
    name = form.text("kept_name").strip()
    if not 0 < len(name) <= NAME_CHARACTERS:
        raise wrong("kept_name", "form.text")
    asked = NewSearch(name=name, search=search_of(fields), shared=form.text("shared") == "yes")
    await save_search(session, asked=asked, by=reader)
    return Redirect(f"{_address(asked.search)}&done=search_kept", status_code=303)


@post("/log/searches/{search_id:uuid}/remove", status_code=303)
async def forget_search(view: View, reader: Reader, session: AsyncSession, search_id: uuid.UUID) -> Redirect:
    """Remove a kept search of one's own."""
    await remove_search(session, search_id=search_id, by=reader)
    return Redirect("/log?done=search_removed", status_code=303)


@get("/log/events/{event_id:uuid}")
async def show_event(view: View, caller: Caller, session: AsyncSession, event_id: uuid.UUID) -> Template:
    """One event with what proves it."""
    page = await view_events(session, viewer_of(caller), Search(event_id=event_id), limit=1)
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


def _by_words(view: View, names: tuple[str, ...]) -> list[str]:
    """In the order of the reader's alphabet, as far as letters without marks tell it."""
    return sorted(names, key=lambda name: fold(view.say(f"event.{name}")))


def _address(search: Search) -> str:
    return f"/log?{urlencode(fields_of(search))}"


async def _kept(session: AsyncSession, caller: Caller) -> list[tuple[SearchView, str]]:
    """The searches that a regulator's reader keeps, each with its address."""
    if caller.organisation_kind != "regulator":
        return []
    return [(each, _address(each.search)) for each in (await saved_searches(session, caller)).items]


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


handlers = [show_log, export, keep_search, forget_search, show_event, download_decision_receipt]
