"""Applications: a startup makes them, changes them after a return, takes them back; both sides read them."""

from __future__ import annotations

import uuid

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Startup
from marketplace.agreements.asking import resubmit, withdraw
from marketplace.agreements.parties import as_applicant, as_side
from marketplace.agreements.reads import list_applications
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import NotFound, Problem
from marketplace.web.application import application_page
from marketplace.web.forms import Form
from marketplace.web.handlers.apply import read_terms
from marketplace.web.view import View
from policies.engine import Engine


@get("/applications")
async def show_applications(
    view: View, caller: Caller, session: AsyncSession, cursor: str | None = None
) -> Template:
    """The organisation's applications: made by a startup, received by an owner."""
    side = as_side(caller)
    listed = await list_applications(session, organisation_id=side.organisation_id, cursor=cursor)
    return view.page("applications.html", listed=listed)


@get("/applications/{application_id:uuid}")
async def show_application(
    view: View, caller: Caller, session: AsyncSession, application_id: uuid.UUID
) -> Template:
    """One application, with what its reader may do about it."""
    return await application_page(view, caller, session, application_id)


@post("/applications/{application_id:uuid}/resubmit", status_code=200)
async def send_again(
    view: View,
    startup: Startup,
    database: Database,
    engine: Engine,
    keys: Keys,
    application_id: uuid.UUID,
    form: Form,
) -> Template | Redirect:
    """New terms after a return."""
    (terms, unread), by = read_terms(form), as_applicant(startup)
    try:
        if unread is not None:
            raise unread
        async with database.session() as session:
            await resubmit(session, engine, keys, application_id=application_id, terms=terms, by=by, at=utcnow())
    except NotFound:
        raise
    except Problem as problem:
        async with database.session() as session:
            return await application_page(
                view, startup, session, application_id, terms=terms, typed=form.typed(), problem=problem
            )
    return Redirect(f"/applications/{application_id}?done=resubmitted", status_code=303)


@post("/applications/{application_id:uuid}/withdraw", status_code=200)
async def take_back(view: View, startup: Startup, session: AsyncSession, application_id: uuid.UUID) -> Redirect:
    """Withdraw before it is decided."""
    await withdraw(session, application_id=application_id, by=as_applicant(startup), at=utcnow())
    return Redirect(f"/applications/{application_id}?done=withdrawn", status_code=303)


handlers = [show_applications, show_application, send_again, take_back]
