"""The operator's desk for erasing who somebody was: a person asks for it, and it cannot be taken back."""

from __future__ import annotations

import uuid

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.actions import ERASED, erase_person
from marketplace.accounts.callers import Operator
from marketplace.accounts.reads import organisations, people
from marketplace.web.forms import Form, wrong
from marketplace.web.view import View


@get("/people")
async def show_people(
    view: View, operator: Operator, session: AsyncSession, organisation: uuid.UUID | None = None
) -> Template:
    """Everybody of one organisation."""
    operator.require("tokens")
    listed = await organisations(session)
    chosen = next((each for each in listed if each.id == organisation), None)
    found = await people(session, chosen.id) if chosen else ()
    return view.page("people.html", organisations=listed, chosen=chosen, people=found, erased=ERASED)


@post("/people/{person_id:uuid}/erase", status_code=303)
async def erase(
    view: View, operator: Operator, session: AsyncSession, person_id: uuid.UUID, form: Form
) -> Redirect:
    """Only if the e-mail that is to go is written once more."""
    operator.require("tokens")
    organisation_id = form.optional_id("organisation")
    found = await people(session, organisation_id) if organisation_id else ()
    person = next((each for each in found if each.id == person_id), None)
    if person is None or form.text("email").strip().lower() != person.email.lower():
        raise wrong("email", "form.text")
    await erase_person(session, person_id=person_id, by=operator)
    return Redirect(f"/people?organisation={organisation_id}&done=person_erased", status_code=303)


handlers = [show_people, erase]
