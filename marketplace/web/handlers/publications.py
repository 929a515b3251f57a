"""Publications of an owner: the list, the form that sends a file, one with its stages, and versions taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from litestar import get, post
from litestar.response import Redirect, Stream, Template
from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.anonymise.plot import drawing
from catalog.storage import Store
from marketplace.accounts.callers import Approver, Caller, Operator, Steward
from marketplace.accounts.senders import Sender
from marketplace.consents.uploads import saved
from marketplace.db.base import new_id, utcnow
from marketplace.errors import NotFound, Problem
from marketplace.invoices.crediting import propose_for_version
from marketplace.listings.once import once_for
from marketplace.listings.press import Press
from marketplace.publications.reads import list_publications, list_withdrawals, listed_versions, read_publication
from marketplace.publications.rejected import as_csv, rejected_in_publication
from marketplace.publications.reviewing import take_step
from marketplace.publications.schemas import StepBody, WithdrawalBody
from marketplace.publications.schemes import MOST_BYTES, schemes_of
from marketplace.publications.sending import send
from marketplace.publications.withdrawing import withdraw
from marketplace.web.explain import placed, what_is_wrong
from marketplace.web.forms import Form, chunks_of, fitting
from marketplace.web.headers import file_headers
from marketplace.web.publication import findings_of, told_of
from marketplace.web.view import View

PAGE_FILE_BYTES: Final = 64_000_000
"""A browser's form is kept whole before anybody reads it; larger files go by API or command, which stream."""
ENVELOPE_BYTES: Final = 512 * 1024
REASONS: Final = ("quality", "privacy", "unlawful", "consent", "outdated", "other")


@get("/publications")
async def show_publications(view: View, caller: Caller, session: AsyncSession) -> Template:
    """What is on its way, and what was taken back."""
    caller.require("read")
    return await _list(view, caller, session)


@post("/publications", status_code=200, request_max_body_size=PAGE_FILE_BYTES + ENVELOPE_BYTES)
async def send_publication(view: View, steward: Steward, press: Press, form: Form) -> Template | Redirect:
    """Send a file and its manifest; the hidden key makes a second press the same publication."""
    steward.require("publish")
    by = Sender(person_id=steward.person_id, organisation_id=steward.organisation_id, via="page")
    manifest, suite = form.text("manifest"), form.text("suite")
    suite_text = suite if suite.strip() else None
    try:
        upload = form.file("file")
        async with saved(
            chunks_of(upload), folder=press.config.path("uploads"), max_bytes=PAGE_FILE_BYTES
        ) as source:
            once = await once_for(
                form.text("key") or str(new_id()), door="send", into=None, manifest_text=manifest, source=source,
                suite_text=suite_text,
            )  # fmt: skip
            publication_id = await send(
                press, manifest_text=manifest, source=source, suite_text=suite_text,
                source_name=upload.filename, by=by, once=once,
            )  # fmt: skip
    except Problem as problem:
        async with press.database.reading() as session:
            return await _list(view, steward, session, problem=problem, typed=form.typed())
    return Redirect(f"/publications/{publication_id}?done=publication_sent", status_code=303)


@get("/publications/{publication_id:uuid}")
async def show_publication(view: View, caller: Caller, session: AsyncSession, publication_id: UUID) -> Template:
    """One, with its stages; while the exchange works on it the page asks again by itself."""
    caller.require("read")
    page = await _one(view, caller, session, publication_id)
    if view.partial and not page.context["at_work"]:
        # What there is to do now stands outside the stages, which are all that the page asks for again.
        page.headers["HX-Refresh"] = "true"
    return page


@get("/publications/{publication_id:uuid}/rejected.csv")
async def download_rejected(session: AsyncSession, caller: Caller, store: Store, publication_id: UUID) -> Stream:
    """Rows of the file that could not be read."""
    path = await rejected_in_publication(session, store, publication_id, caller)
    return Stream(as_csv(path), media_type="text/csv", headers=file_headers("rejected.csv"))


@post("/publications/{publication_id:uuid}/steps", status_code=200)
async def send_step(
    view: View, caller: Caller, session: AsyncSession, publication_id: UUID, form: Form
) -> Template | Redirect:
    """A step of a person."""
    asked = {
        "verb": form.text("verb"), "reason": form.text("reason"), "checklist": form.texts("checklist"),
        "findings": [_finding(each) for each in form.texts("finding")],
    }  # fmt: skip
    try:
        async with session.begin_nested():
            state = await take_step(
                session, publication_id=publication_id, body=fitting(asked, StepBody), by=caller
            )
    except NotFound:
        raise
    except Problem as problem:
        return await _one(view, caller, session, publication_id, problem)
    seen = caller.organisation_kind == "owner" or state == "reviewing"
    return Redirect(f"/publications/{publication_id}" if seen else "/publications?done=publication_step",
                    status_code=303)  # fmt: skip


@post("/publications/{publication_id:uuid}/schemes", status_code=200)
async def seek_schemes(
    view: View, steward: Steward, press: Press, session: AsyncSession, publication_id: UUID
) -> Template:
    """What else its columns could be shown as, what each loses and risks; with the manifest of each."""
    steward.require("publish")
    try:
        schemes = await schemes_of(press, publication_id, by=steward)
    except NotFound:
        raise
    except Problem as problem:
        return await _one(view, steward, session, publication_id, problem)
    publication = await read_publication(session, publication_id, steward)
    drawn = Markup(drawing(schemes.frontier))  # noqa: S704 - it escapes its words, and the rest are numbers
    return view.page("schemes.html", publication=publication, schemes=schemes, drawing=drawn)


@post("/publications/chosen", status_code=200)
async def use_scheme(view: View, steward: Steward, session: AsyncSession, form: Form) -> Template:
    """The form that sends a file, with the manifest that was chosen in it."""
    steward.require("publish")
    return await _list(view, steward, session, typed=form.typed())


@post("/publications/withdrawals", status_code=200)
async def send_withdrawal(
    view: View, approver: Approver, session: AsyncSession, form: Form
) -> Template | Redirect:
    """Take the listed version of a dataset back."""
    approver.require("agree")
    slug, _, version_id = form.text("version").partition(" ")
    asked = {"version_id": version_id, "reason": form.text("reason"), "note": form.text("note").strip()}
    try:
        async with session.begin_nested():
            body = fitting(asked, WithdrawalBody)
            await withdraw(session, dataset=slug, body=body, by=approver, at=utcnow())
    except Problem as problem:
        return await _list(view, approver, session, problem=problem, typed=form.typed())
    return Redirect("/publications?done=version_withdrawn", status_code=303)


@post("/publications/credits", status_code=200)
async def send_credits(view: View, operator: Operator, session: AsyncSession, form: Form) -> Template | Redirect:
    """Propose to give back what was charged for a version taken back; another person of the operator decides."""
    operator.require("money")
    try:
        async with session.begin_nested():
            await propose_for_version(
                session, version_id=form.text("version_id"), reason=form.text("note"), by=operator, at=utcnow()
            )
    except Problem as problem:
        return await _list(view, operator, session, problem=problem)
    return Redirect("/publications?done=credits_proposed", status_code=303)


async def _list(
    view: View,
    caller: Caller,
    session: AsyncSession,
    *,
    problem: Problem | None = None,
    typed: Mapping[str, str] = {},
) -> Template:
    approves = "approver" in caller.roles
    return view.page(
        "publications.html",
        listed=(await list_publications(session, caller)).items,
        withdrawn=(await list_withdrawals(session, caller)).items,
        versions=await listed_versions(session, caller.organisation_id) if approves else (),
        withdrawal_reasons=REASONS,
        may_send="steward" in caller.roles and "publish" in caller.scopes,
        may_credit=caller.organisation_kind == "operator",
        key=str(new_id()),
        typed=typed,
        max_bytes=PAGE_FILE_BYTES,
        places=[placed(view, error) for error in problem.params.get("errors") or ()] if problem else (),
        **what_is_wrong(view, problem),
    )


async def _one(
    view: View, caller: Caller, session: AsyncSession, publication_id: UUID, problem: Problem | None = None
) -> Template:
    publication = await read_publication(session, publication_id, caller)
    return view.page(
        "publication.html",
        publication=publication,
        told=told_of(view, publication),
        findings=findings_of(view, publication),
        at_work=publication.state in ("making", "listing"),
        may_seek="steward" in caller.roles
        and "publish" in caller.scopes
        and publication.state in ("stopped", "failed", "checking", "approving", "reviewing")
        and publication.source_bytes <= MOST_BYTES,
        **what_is_wrong(view, problem),
    )


def _finding(told: str) -> dict[str, str]:
    code, _, key = told.partition(" ")
    return {"code": code, "key": key}


handlers = [
    show_publications,
    send_publication,
    show_publication,
    download_rejected,
    send_step,
    seek_schemes,
    use_scheme,
    send_withdrawal,
    send_credits,
]
