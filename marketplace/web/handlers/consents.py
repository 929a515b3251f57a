"""The owner's consent register: legal clocks (the regulator's too), months in bands, files in and out."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.response import Stream, Template
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.callers import Caller, Owner
from marketplace.accounts.senders import Sender
from marketplace.calendar import VIETNAM
from marketplace.config import Config
from marketplace.consents.deadlines import days_on
from marketplace.consents.exports import as_csv, as_ndjson, exported
from marketplace.consents.imports import Importing, import_events
from marketplace.consents.late import view_clocks
from marketplace.consents.lines import COLUMNS, REQUIRED
from marketplace.consents.months import monthly_totals
from marketplace.consents.schemas import Imported
from marketplace.consents.uploads import saved
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import NotFound, Problem
from marketplace.listings.reads import dataset_id_of, owned_datasets, read_dataset
from marketplace.web.explain import placed, what_is_wrong
from marketplace.web.forms import Form, chunks_of
from marketplace.web.headers import file_headers
from marketplace.web.view import View

PAGE_FILE_BYTES: Final = 64_000_000
"""Some half a million events. A browser's form is kept whole before anybody reads it; larger files go by API or
command, which stream."""
ENVELOPE_BYTES: Final = 64 * 1024
FORMATS: Final = {"csv": (as_csv, "text/csv"), "ndjson": (as_ndjson, "application/x-ndjson")}


@get("/consents")
async def show_clocks(view: View, caller: Caller, session: AsyncSession) -> Template:
    """What was acknowledged and stopped, and what came late: the owner's own, or all for the regulator."""
    caller.require("consent" if caller.organisation_kind == "owner" else "audit")
    clocks = await view_clocks(session, caller=caller)
    owner = caller.organisation_kind == "owner"
    mine = await owned_datasets(session, owner_id=caller.organisation_id) if owner else ()
    days = days_on(utcnow().astimezone(VIETNAM).date())
    return view.page("consents.html", clocks=clocks, mine=mine, days=days, owner=owner)


@get("/datasets/{slug:str}/consents")
async def show_register(view: View, owner: Owner, session: AsyncSession, slug: str) -> Template:
    """One dataset's register: months, and the forms for files."""
    owner.require("consent")
    dataset_id = await _own(session, owner, slug)
    return await _page(view, session, slug, dataset_id)


@post("/datasets/{slug:str}/consents", status_code=200, request_max_body_size=PAGE_FILE_BYTES + ENVELOPE_BYTES)
async def take_file(
    view: View,
    owner: Owner,
    config: Config,
    database: Database,
    store: Store,
    keys: Keys,
    slug: str,
    form: Form,
) -> Template:
    """Take a file of events; the page again with what became of it, and every line that was not taken."""
    owner.require("consent")
    async with database.session() as session:
        dataset_id = await _own(session, owner, slug)
    refuse, made, problem = form.text("on_error") == "refuse", None, None
    by = Sender(person_id=owner.person_id, organisation_id=owner.organisation_id, via="page")
    parts = Importing(config=config, database=database, store=store, keys=keys)
    try:
        chunks = chunks_of(form.file("file"))
        async with saved(chunks, folder=config.path("uploads"), max_bytes=PAGE_FILE_BYTES) as source:
            made = await import_events(parts, by=by, dataset_id=dataset_id, source=source, all_or_nothing=refuse)
    except Problem as wrong:
        problem = wrong
    async with database.session() as session:
        return await _page(view, session, slug, dataset_id, refuse=refuse, made=made, problem=problem)


@get("/datasets/{slug:str}/consents/{kind:str}")
async def download(database: Database, owner: Owner, slug: str, kind: str) -> Stream:
    """What the owner recorded, people by pseudonym, as a file."""
    owner.require("consent")
    if kind not in FORMATS:
        raise NotFound
    write, media_type = FORMATS[kind]
    async with database.reading() as session:
        dataset_id = await _own(session, owner, slug)
    headers = file_headers(f"{slug}-consents.{kind}")
    return Stream(exported(database, dataset_id, write), media_type=media_type, headers=headers)


async def _own(session: AsyncSession, owner: Owner, slug: str) -> UUID:
    dataset_id = await dataset_id_of(session, slug, owner_id=owner.organisation_id)
    if dataset_id is None:
        raise NotFound
    return dataset_id


async def _page(
    view: View,
    session: AsyncSession,
    slug: str,
    dataset_id: UUID,
    *,
    refuse: bool = False,
    made: Imported | None = None,
    problem: Problem | None = None,
) -> Template:
    return view.page(
        "register.html",
        dataset=await read_dataset(session, slug),
        months=await monthly_totals(session, dataset_id=dataset_id),
        made=made,
        refuse=refuse,
        required=sorted(REQUIRED),
        optional=[name for name in COLUMNS if name not in REQUIRED],
        formats=FORMATS,
        max_bytes=PAGE_FILE_BYTES,
        places=[placed(view, error) for error in problem.params.get("errors") or ()] if problem else (),
        **what_is_wrong(view, problem),
    )


handlers = [show_clocks, show_register, take_file, download]
