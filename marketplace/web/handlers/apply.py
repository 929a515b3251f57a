"""Applying for a dataset: the form, and what it sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec
from litestar import get, post
from litestar.response import Redirect, Template
from msgspec import UNSET, UnsetType
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Startup
from marketplace.accounts.reads import colleagues
from marketplace.agreements.asking import apply_once
from marketplace.agreements.parties import as_applicant
from marketplace.agreements.terms import Terms
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Invalid, NotFound, Problem
from marketplace.listings.reads import dataset_id_of, read_dataset
from marketplace.offers.reads import offers_of
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, wrong
from marketplace.web.view import View
from policies.decision import AgreedRecords, Promises
from policies.engine import Engine

T = TypeVar("T")
DURATION_DAYS = 180
"""What the form proposes."""


@get("/datasets/{slug:str}/apply")
async def show_apply(view: View, startup: Startup, session: AsyncSession, slug: str) -> Template:
    """The form of an application."""
    terms = Terms(purpose="", justification="", duration_days=DURATION_DAYS, people=(startup.person_id,))
    return await _apply_page(view, startup, session, slug, terms)


@post("/datasets/{slug:str}/apply", status_code=200)
async def send_application(
    view: View, startup: Startup, database: Database, engine: Engine, keys: Keys, slug: str, form: Form
) -> Template | Redirect:
    """Apply; with mistakes, the form again and all of them."""
    terms, unread = read_terms(form)
    try:
        if unread is not None:
            raise unread
        async with database.session() as session:
            dataset_id = await dataset_id_of(session, slug)
            if dataset_id is None:
                raise NotFound
            application_id = await apply_once(
                session, engine, keys, dataset_id=dataset_id, terms=terms, by=as_applicant(startup), at=utcnow(),
                key=form.text("key"),
            )  # fmt: skip
    except NotFound:
        raise
    except Problem as problem:
        async with database.session() as session:
            return await _apply_page(view, startup, session, slug, terms, problem, form.typed())
    return Redirect(f"/applications/{application_id}?done=applied", status_code=303)


def read_terms(form: Form) -> tuple[Terms, Invalid | None]:
    """What the form asks for as far as it can be read, and every field that cannot."""
    unread: list[Any] = []
    everything: tuple[AgreedRecords, ...] | UnsetType = UNSET

    def read(field: Callable[[], T], otherwise: T) -> T:
        try:
            return field()
        except Invalid as invalid:
            unread.extend(invalid.params["errors"])
            return otherwise

    terms = Terms(
        purpose=read(lambda: form.text("purpose"), ""),
        justification=read(lambda: form.text("justification"), ""),
        duration_days=read(lambda: form.integer("duration_days"), DURATION_DAYS),
        people=read(lambda: form.ids("people"), ()),
        offer_id=read(lambda: form.optional_id("offer_id"), None),
        promises=Promises(
            place=read(lambda: form.text("place"), "") or None,
            ethics_reference=read(lambda: form.text("ethics_reference"), "") or None,
            returns_results=read(lambda: form.text("returns_results"), "") == "yes",
            records=read(lambda: _records(form), everything),
        ),
    )
    return terms, Invalid(errors=unread) if unread else None


def _records(form: Form) -> tuple[AgreedRecords, ...] | UnsetType:
    """A line a column: `province: Hà Nội; Huế`. Raises Invalid."""
    said = []
    for line in filter(None, map(str.strip, form.text("records").split("\n"))):
        column, _, values = line.partition(":")
        named = [value.strip() for value in values.split(";") if value.strip()]
        said.append({"column": column.strip(), "in": named})
    try:
        return msgspec.convert({"records": said}, Promises).records if said else UNSET
    except msgspec.ValidationError as wrong_form:
        raise wrong("records", "application.records_form") from wrong_form


async def _apply_page(
    view: View,
    startup: Startup,
    session: AsyncSession,
    slug: str,
    terms: Terms,
    problem: Problem | None = None,
    typed: Mapping[str, str] | None = None,
) -> Template:
    dataset = await read_dataset(session, slug)
    if dataset is None:
        raise NotFound
    people = await colleagues(session, startup.organisation_id)
    offered = await offers_of(session, dataset_id=dataset.id, caller=startup, at=utcnow())
    return view.page(
        "apply.html",
        dataset=dataset,
        terms=terms,
        typed=typed,
        colleagues=people,
        offers=[offer for offer in offered.items if offer.state == "open"],
        key=str(new_id()),
        **what_is_wrong(view, problem),
    )


handlers = [show_apply, send_application]
