"""Access tokens for programs: made here, shown once, revoked here."""

from __future__ import annotations

import uuid

from litestar import get, post
from litestar.response import Redirect, Template
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts import reads
from marketplace.accounts.callers import SCOPES, Caller
from marketplace.accounts.tokens import MadeToken, create_token, revoke_token
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.errors import Problem
from marketplace.web.explain import what_is_wrong
from marketplace.web.forms import Form
from marketplace.web.view import View


@get("/tokens")
async def show_tokens(view: View, caller: Caller, session: AsyncSession) -> Template:
    """The caller's own tokens, without their secrets, and the form for a new one."""
    caller.require("tokens")
    return await _page(view, caller, session)


@post("/tokens", status_code=200)
async def make_token(view: View, caller: Caller, session: AsyncSession, config: Config, form: Form) -> Template:
    """A new token, shown this once; with a mistake, the form again."""
    caller.require("tokens")
    for scope in form.texts("scopes"):
        caller.require(scope)
    try:
        async with session.begin_nested():
            made = await create_token(
                session,
                person_id=caller.person_id,
                name=form.text("name"),
                scopes=form.texts("scopes"),
                lifetime_s=config.token_lifetime_s,
            )
    except Problem as problem:
        return await _page(view, caller, session, problem=problem, name=form.text("name"))
    return await _page(view, caller, session, made=made)


@post("/tokens/{token_id:uuid}/revoke", status_code=303)
async def end_token(view: View, caller: Caller, session: AsyncSession, token_id: uuid.UUID) -> Redirect:
    """Revoke one of the caller's own tokens."""
    caller.require("tokens")
    await revoke_token(session, token_id=token_id, by=caller)
    return Redirect("/tokens?done=revoked", status_code=303)


async def _page(
    view: View,
    caller: Caller,
    session: AsyncSession,
    *,
    made: MadeToken | None = None,
    problem: Problem | None = None,
    name: str = "",
) -> Template:
    return view.page(
        "tokens.html",
        tokens=await reads.tokens(session, caller),
        scopes=[scope for scope in SCOPES if scope in caller.scopes],
        now=utcnow(),
        made=made,
        name=name,
        **what_is_wrong(view, problem),
    )


handlers = [show_tokens, make_token, end_token]
