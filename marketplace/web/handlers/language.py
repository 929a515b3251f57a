"""The reader's choice of language, kept in a cookie."""

from __future__ import annotations

from litestar import post
from litestar.datastructures import Cookie
from litestar.response import Redirect

from marketplace.accounts.allowance import PAGE
from marketplace.config import Config
from marketplace.web.forms import Form
from marketplace.web.links import is_https, own_path
from marketplace.web.view import LANGUAGE_COOKIE, AnyRequest
from marketplace.web.words import language_of

YEAR_S = 365 * 86_400


@post("/language", status_code=303, opt={"points": PAGE})
async def choose_language(request: AnyRequest, config: Config) -> Redirect:
    """Remember the language and go back. It needs no CSRF token: nothing but a preference changes."""
    form = Form(await request.form())
    cookie = Cookie(
        key=LANGUAGE_COOKIE,
        value=language_of(form.text("language")),
        max_age=YEAR_S,
        httponly=True,
        samesite="lax",
        secure=is_https(config),
    )
    return Redirect(own_path(form.text("next")), status_code=303, cookies=[cookie])


handlers = [choose_language]
