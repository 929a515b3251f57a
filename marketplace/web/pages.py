"""All pages: their handlers on one router, their templates, their static files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.di import Provide
from litestar.static_files import create_static_files_router

from marketplace.accounts.callers import provide_seated
from marketplace.web.forms import provide_form
from marketplace.web.handlers import (
    account,
    agreements,
    alerts,
    api_page,
    applications,
    apply,
    catalogue,
    consents,
    console,
    credits,
    decisions,
    demands,
    external,
    help_page,
    incidents,
    invoices,
    language,
    linkages,
    log,
    mine,
    money,
    months,
    offers,
    paid_in,
    pay_in,
    payouts,
    people,
    preview,
    publications,
    quality,
    queries,
    sign_in,
    spending,
    tables,
    tokens,
    usage,
    watches,
    why,
)
from marketplace.web.headers import secured
from marketplace.web.problem_pages import problem_page
from marketplace.web.templating import template_config
from marketplace.web.view import provide_view

STATIC: Final = Path(__file__).parent / "static"
MODULES: Final = (
    account, agreements, alerts, api_page, applications, apply, catalogue, consents, console, credits, decisions,
    demands, external, help_page, incidents, invoices, language, linkages, log, mine, money, months, offers,
    paid_in, pay_in, payouts, people, preview, publications, quality, queries, sign_in, spending, tables,
    tokens, usage, watches, why,
)  # fmt: skip

handlers: list[Router] = [
    Router(
        path="/",
        route_handlers=[handler for module in MODULES for handler in module.handlers],
        dependencies={
            "presented": Provide(provide_seated),
            "view": Provide(provide_view),
            "form": Provide(provide_form),
        },
        after_request=secured,
        exception_handlers={Exception: problem_page},
        include_in_schema=False,
    )
]


def static() -> Router:
    """The style sheet, the scripts and the icon; they change only with a release."""
    return create_static_files_router(
        path="/static",
        directories=[STATIC],
        cache_control=CacheControlHeader(public=True, max_age=3600),
        opt={"points": 0},
        include_in_schema=False,
    )


__all__ = ["handlers", "static", "template_config"]
