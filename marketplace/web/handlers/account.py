"""Who the reader is here, and the reader's own password."""

from __future__ import annotations

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import COOKIE, Caller
from marketplace.accounts.passwords import LEAST_CHARACTERS
from marketplace.accounts.reads import email_of
from marketplace.accounts.sign_in import change_password
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Problem
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, wrong
from marketplace.web.view import AnyRequest, View, address_of


@get("/account")
async def show_account(view: View, caller: Caller, session: AsyncSession) -> Template:
    """Name, organisation, roles, and the form for another password."""
    return await _page(view, caller, session)


@post("/account/password", status_code=200)
async def send_password(
    request: AnyRequest,
    view: View,
    caller: Caller,
    session: AsyncSession,
    database: Database,
    config: Config,
    form: Form,
) -> Template | Redirect:
    """The password is changed and every session ended, this one too; or the form again and why not."""
    try:
        if form.text("password") != form.text("again"):
            raise wrong("again", "form.again")
        await change_password(
            database, config, by=caller, current=form.text("current"), password=form.text("password"),
            address=address_of(request),
        )  # fmt: skip
    except Problem as problem:
        return await _page(view, caller, session, problem=problem)
    answer = Redirect("/login?done=password_changed", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


async def _page(view: View, caller: Caller, session: AsyncSession, *, problem: Problem | None = None) -> Template:
    email = await email_of(session, caller.person_id)
    return view.page(
        "account.html", caller=caller, email=email, least=LEAST_CHARACTERS, **what_is_wrong(view, problem)
    )


handlers = [show_account, send_password]
