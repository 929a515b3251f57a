"""The operator's desk of organisations and people: entering them, other passwords, ending, erasing."""

from __future__ import annotations

import uuid

from litestar import get, post
from litestar.response import Redirect, Template
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import actions
from marketplace.accounts.callers import Operator
from marketplace.accounts.parties import ROLES, SECTORS
from marketplace.accounts.passwords import new_password
from marketplace.accounts.reads import organisations, people
from marketplace.accounts.schemas import PersonView
from marketplace.billing.admission import admit_organisation
from marketplace.errors import NotFound, Problem
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, wrong
from marketplace.web.view import View


class Told(Struct, frozen=True):
    """A password that is shown this once."""

    name: str
    password: str


@get("/people")
async def show_people(
    view: View, operator: Operator, session: AsyncSession, organisation: uuid.UUID | None = None
) -> Template:
    """Everybody of one organisation (unless told the operator's own), and the forms."""
    operator.require("tokens")
    return await _page(view, session, organisation or operator.organisation_id)


@post("/people/organisations", status_code=200)
async def admit(view: View, operator: Operator, session: AsyncSession, form: Form) -> Template | Redirect:
    """Enter an organisation with its accounts; with a mistake, the form again."""
    operator.require("tokens")
    try:
        async with session.begin_nested():
            made = await admit_organisation(
                session, kind=form.text("kind"), name=form.text("organisation_name"),
                slug=form.text("slug").strip(), tax_code=form.text("tax_code").strip() or None,
                sector=form.text("sector") or None, by=operator,
            )  # fmt: skip
    except Problem as problem:
        return await _page(view, session, form.optional_id("organisation"), problem=problem, form=form)
    return _back(made, "&done=organisation_admitted")


@post("/people", status_code=200)
async def add(view: View, operator: Operator, session: AsyncSession, form: Form) -> Template:
    """Enter a person with a password that is shown this once; with a mistake, the form again."""
    operator.require("tokens")
    organisation_id, name, password = form.id("organisation"), form.text("name"), new_password()
    try:
        async with session.begin_nested():
            person_id = await actions.create_person(
                session, organisation_id=organisation_id, email=form.text("email"), name=name,
                roles=form.texts("roles"), by=operator,
            )  # fmt: skip
            await actions.set_password(session, person_id=person_id, password=password, by=operator)
    except Problem as problem:
        return await _page(view, session, organisation_id, problem=problem, form=form)
    return await _page(view, session, organisation_id, told=Told(name.strip(), password))


@post("/people/{person_id:uuid}/password", status_code=200)
async def reset(
    view: View, operator: Operator, session: AsyncSession, person_id: uuid.UUID, form: Form
) -> Template:
    """Another password, shown this once."""
    operator.require("tokens")
    person, password = await _person(session, person_id, form), new_password()
    await actions.set_password(session, person_id=person_id, password=password, by=operator)
    return await _page(view, session, form.id("organisation"), told=Told(person.name, password))


@post("/people/{person_id:uuid}/deactivate", status_code=303)
async def deactivate(
    view: View, operator: Operator, session: AsyncSession, person_id: uuid.UUID, form: Form
) -> Redirect:
    """End an account."""
    operator.require("tokens")
    await actions.deactivate_person(session, person_id=person_id, by=operator)
    return _back(form.id("organisation"), "&done=person_ended")


@post("/people/organisations/{organisation_id:uuid}/suspend", status_code=303)
async def suspend(
    view: View, operator: Operator, session: AsyncSession, organisation_id: uuid.UUID, form: Form
) -> Redirect:
    """Stop an organisation."""
    operator.require("tokens")
    await actions.suspend_organisation(session, organisation_id=organisation_id, reason=_reason(form), by=operator)
    return _back(organisation_id, "&done=organisation_suspended")


@post("/people/organisations/{organisation_id:uuid}/unsuspend", status_code=303)
async def unsuspend(
    view: View, operator: Operator, session: AsyncSession, organisation_id: uuid.UUID, form: Form
) -> Redirect:
    """Let an organisation go on."""
    operator.require("tokens")
    await actions.unsuspend_organisation(
        session, organisation_id=organisation_id, reason=_reason(form), by=operator
    )
    return _back(organisation_id, "&done=organisation_unsuspended")


@post("/people/{person_id:uuid}/erase", status_code=303)
async def erase(
    view: View, operator: Operator, session: AsyncSession, person_id: uuid.UUID, form: Form
) -> Redirect:
    """Only if the e-mail that is to go is written once more."""
    operator.require("tokens")
    person = await _person(session, person_id, form)
    if form.text("email").strip().lower() != person.email.lower():
        raise wrong("email", "form.text")
    await actions.erase_person(session, person_id=person_id, by=operator)
    return _back(form.id("organisation"), "&done=person_erased")


async def _person(session: AsyncSession, person_id: uuid.UUID, form: Form) -> PersonView:
    """As the page that the form stood on shows it."""
    listed = await people(session, form.id("organisation"))
    for each in listed:
        if each.id == person_id:
            return each
    raise NotFound(what="person")


def _reason(form: Form) -> str:
    reason = form.text("reason").strip()
    if not 0 < len(reason) <= 1_000:
        raise wrong("reason", "form.text")
    return reason


def _back(organisation_id: uuid.UUID, done: str) -> Redirect:
    return Redirect(f"/people?organisation={organisation_id}{done}", status_code=303)


async def _page(
    view: View,
    session: AsyncSession,
    organisation_id: uuid.UUID | None,
    *,
    told: Told | None = None,
    problem: Problem | None = None,
    form: Form | None = None,
) -> Template:
    listed = await organisations(session)
    chosen = next((each for each in listed if each.id == organisation_id), None)
    fields = ("kind", "organisation_name", "slug", "tax_code", "sector", "email", "name")
    return view.page(
        "people.html",
        organisations=listed,
        chosen=chosen,
        people=await people(session, chosen.id) if chosen else (),
        roles=sorted(ROLES[chosen.kind]) if chosen else (),
        kinds=tuple(ROLES),
        sectors=SECTORS,
        erased=actions.ERASED,
        told=told,
        entered={name: form.text(name) if form else "" for name in fields},
        **what_is_wrong(view, problem),
    )


handlers = [show_people, admit, add, reset, deactivate, suspend, unsuspend, erase]
