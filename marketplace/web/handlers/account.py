"""Who the reader is here, and the reader's own password."""

from __future__ import annotations

from litestar import get, post
from litestar.response import Redirect, Template

from marketplace.accounts.callers import COOKIE, Caller
from marketplace.accounts.passwords import LEAST_CHARACTERS
from marketplace.accounts.sign_in import change_password
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Problem
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form, wrong
from marketplace.web.view import AnyRequest, View, address_of


@get("/account")
async def show_account(view: View, caller: Caller) -> Template:
    """Name, organisation, roles, and the form for another password."""
    return _page(view, caller)


@post("/account/password", status_code=200)
async def send_password(
    request: AnyRequest, view: View, caller: Caller, database: Database, config: Config, form: Form
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
        return _page(view, caller, problem=problem)
    answer = Redirect("/login?done=password_changed", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def _page(view: View, caller: Caller, *, problem: Problem | None = None) -> Template:
    return view.page(
        "account.html", caller=caller, least=LEAST_CHARACTERS, **what_is_wrong(view, problem),
    )  # fmt: skip


handlers = [show_account, send_password]
