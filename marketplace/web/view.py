"""Who looks at a page and in which language: everything a template may ask for besides its own data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from litestar import Request
from litestar.datastructures import State
from litestar.response import Template
from msgspec import Struct
from msgspec.structs import replace

from marketplace.accounts import allowance
from marketplace.accounts.callers import Caller
from marketplace.accounts.csrf import csrf_of
from marketplace.db.engine import Database
from marketplace.finding.watching import unread_of
from marketplace.texts import Language, Message, message
from marketplace.web.headers import SECURITY
from marketplace.web.navigation import ACCOUNT, Link, Menu, menu_for
from marketplace.web.words import language_of, say, words

LANGUAGE_COOKIE: Final = "sandulieu_language"
NOTICES: Final = frozenset(key.removeprefix("notice.") for key in words() if key.startswith("notice."))
"""What a step may say on the page it leads to."""

AnyRequest = Request[Any, Any, State]


def address_of(request: AnyRequest) -> str:
    """Where it came from, as attempts are counted by."""
    return allowance.address_of(request.scope) or "unknown"


class View(Struct, frozen=True, kw_only=True):
    caller: Caller | None
    language: Language
    path: str
    csrf: str
    """The session's token, for the hidden field of every form; empty for the anonymous."""
    partial: bool
    """htmx asked: answer with the part that it will put into the page."""
    notice: str | None = None
    unread: int = 0
    """Notices that the reader has not read, which the menu tells."""

    @property
    def menu(self) -> Menu:
        return menu_for(self.caller, self.path)

    @property
    def account_links(self) -> tuple[Link, ...]:
        """What everybody who is signed in has, whatever their organisation is."""
        return ACCOUNT

    @property
    def handles_money(self) -> bool:
        """Whether the reader may move the exchange's money: forms that do are shown to nobody else."""
        who = self.caller
        return (
            who is not None
            and who.organisation_kind == "operator"
            and "operator" in who.roles
            and ("money" in who.scopes)
        )

    @property
    def other_language(self) -> Language:
        return "en" if self.language == "vi" else "vi"

    def say(self, key: str, **params: object) -> str:
        """Words of the pages in the reader's language."""
        return say(key, self.language, **params)

    def known_words(self, key: str) -> str | None:
        """As `say`, of what owners may name themselves; None for a key that has no words."""
        return say(key, self.language) if key in words() else None

    def message(self, code: str, params: Mapping[str, Any]) -> Message:
        """What happened, why, what next, of an error or a reason."""
        return message(code, params, self.language)

    def either(self, vi: str, en: str) -> str:
        """The data's own words in the reader's language."""
        return vi if self.language == "vi" else (en or vi)

    def page(self, template: str, /, *, status: int = 200, **context: Any) -> Template:
        """The page or part `template` with its data."""
        return Template(
            template_name=template, context={"view": self, **context}, status_code=status, headers=SECURITY,
            media_type="text/html",
        )  # fmt: skip


async def provide_view(request: AnyRequest, database: Database, maybe_caller: Caller | None) -> View:
    """The view of one request. Asking for it also checks the CSRF token of what is sent with a session."""
    view = view_of(request, maybe_caller)
    if maybe_caller is None or view.partial:
        return view
    return replace(view, unread=await unread_of(database, maybe_caller.person_id))


def view_of(request: AnyRequest, caller: Caller | None) -> View:
    """The view for a caller that is already known."""
    done = request.query_params.get("done")
    return View(
        caller=caller,
        language=language_of(request.cookies.get(LANGUAGE_COOKIE)),
        path=request.url.path,
        csrf=csrf_of(request) if caller else "",
        partial=request.headers.get("hx-request") == "true"
        and "hx-history-restore-request" not in request.headers,
        notice=done if done in NOTICES else None,
    )
