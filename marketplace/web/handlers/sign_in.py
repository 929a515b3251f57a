"""Signing in and out by local account: a session cookie, a limit on failures, and a token against forged forms."""

from __future__ import annotations

import hmac
import secrets
from typing import Annotated, Final

from litestar import get, post
from litestar.datastructures import Cookie
from litestar.params import QueryParameter
from litestar.response import Redirect, Template

from marketplace.accounts.allowance import QUESTION
from marketplace.accounts.callers import COOKIE
from marketplace.accounts.devices import cookie_name, known_device, new_device
from marketplace.accounts.errors import PersonInactive, TooManyAttempts, WrongPassword
from marketplace.accounts.sign_in import sign_in, sign_out
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Problem
from marketplace.texts import Message
from marketplace.web.explain import explain_problem
from marketplace.web.forms import Form
from marketplace.web.links import is_https, own_path
from marketplace.web.view import AnyRequest, View, address_of

NextPath = Annotated[str, QueryParameter(name="next", max_length=2000)]
LOGIN_COOKIE: Final = "sandulieu_login"
LOGIN_COOKIE_S: Final = 3600


@get("/login")
async def show_login(view: View, config: Config, next_path: NextPath = "/") -> Template | Redirect:
    """The form; whoever is signed in already goes on."""
    if view.caller is not None:
        return Redirect(own_path(next_path), status_code=303)
    return _page(view, config, next_path=next_path)


@post("/login", status_code=200, opt={"points": QUESTION})
async def send_login(
    request: AnyRequest, view: View, database: Database, config: Config, keys: Keys, form: Form
) -> Template | Redirect:
    """A session, or the form again and why not."""
    email, next_path = form.text("email").strip(), own_path(form.text("next"))
    expected = request.cookies.get(LOGIN_COOKIE, "")
    if not expected or not hmac.compare_digest(expected.encode(), form.text("login_token").encode()):
        stale = view.message("form.login_token", {})
        return _page(view, config, next_path=next_path, email=email, message=stale, status=403)
    seal, named = keys.device_seal(), cookie_name(email)
    device = known_device(seal, email, request.cookies.get(named, ""), lifetime_s=config.device_lifetime_s)
    try:
        cookie = await sign_in(
            database,
            config,
            email=email,
            password=form.text("password"),
            address=address_of(request),
            device=device,
        )
    except (WrongPassword, TooManyAttempts, PersonInactive) as problem:
        return _refused(view, config, problem, next_path=next_path, email=email)
    known = _device_cookie(config, named, new_device(seal, email))
    return Redirect(next_path, status_code=303, cookies=[_session_cookie(config, cookie), known])


@post("/logout", status_code=303)
async def send_logout(request: AnyRequest, view: View, database: Database, config: Config) -> Redirect:
    """The session ends here and now, not only its cookie."""
    await sign_out(database, cookie=request.cookies.get(COOKIE, ""))
    answer = Redirect("/", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def _session_cookie(config: Config, value: str) -> Cookie:
    return Cookie(
        key=COOKIE,
        value=value,
        path="/",
        max_age=config.session_lifetime_s,
        httponly=True,
        samesite="lax",
        secure=is_https(config),
    )


def _device_cookie(config: Config, name: str, value: str) -> Cookie:
    """It stays when the session ends, and is sent only with a sign-in."""
    return Cookie(
        key=name,
        value=value,
        path="/login",
        max_age=config.device_lifetime_s,
        httponly=True,
        samesite="strict",
        secure=is_https(config),
    )


def _refused(view: View, config: Config, problem: Problem, *, next_path: str, email: str) -> Template:
    message = explain_problem(view, problem)
    return _page(view, config, next_path=next_path, email=email, message=message, status=problem.status)


def _page(
    view: View,
    config: Config,
    *,
    next_path: str,
    email: str = "",
    message: Message | None = None,
    status: int = 200,
) -> Template:
    token = secrets.token_urlsafe(32)
    page = view.page(
        "login.html", status=status, next=own_path(next_path), email=email, problem=message, login_token=token
    )
    page.set_cookie(
        key=LOGIN_COOKIE,
        value=token,
        path="/login",
        max_age=LOGIN_COOKIE_S,
        httponly=True,
        samesite="strict",
        secure=is_https(config),
    )
    return page


handlers = [show_login, send_login, send_logout]
