"""The service: API and pages over the same verbs and reads."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from marketplace.accounts import api as accounts_api
from marketplace.accounts.allowance import charge_nobody
from marketplace.accounts.callers import CALLERS
from marketplace.agreements import api as agreements_api
from marketplace.agreements import preview_api
from marketplace.audit import api as audit_api
from marketplace.billing import api as billing_api
from marketplace.closing import api as closing_api
from marketplace.consents import api as consents_api
from marketplace.db.engine import provide_session
from marketplace.einvoices import api as einvoices_api
from marketplace.feeds import api as feeds_api
from marketplace.feeds import ckan_api
from marketplace.finding import api as finding_api
from marketplace.finding import watch_api
from marketplace.harvest import api as harvest_api
from marketplace.identity.callers import SUBJECTS
from marketplace.identity.provider import Provider
from marketplace.invoices import api as invoices_api
from marketplace.invoices import credits_api
from marketplace.linkages import api as linkages_api
from marketplace.listings import api as listings_api
from marketplace.listings.press import provide_press
from marketplace.metering import api as metering_api
from marketplace.offers import api as offers_api
from marketplace.oversight import api as oversight_api
from marketplace.oversight import duties_api
from marketplace.own import api as own_api
from marketplace.payments import api as payments_api
from marketplace.payments import cards_api
from marketplace.payouts import api as payouts_api
from marketplace.publications import api as publications_api
from marketplace.quality import api as quality_api
from marketplace.queries import api as queries_api
from marketplace.queries.services import Services
from marketplace.spending import api as spending_api
from marketplace.subjects import api as subjects_api
from marketplace.web import api_document, health, pages
from marketplace.web.arriving import Bounded, arriving
from marketplace.web.headers import unkept
from marketplace.web.heads import Heads
from marketplace.web.problem_pages import PROBLEM_HANDLERS

BODY_BYTES = 2 * 1024 * 1024
"""Of any request but a publication, which has its own bound; read before anybody asks who sends it, so
all that arrive have one together (`arriving`)."""

API = (
    accounts_api,
    agreements_api,
    audit_api,
    billing_api,
    closing_api,
    consents_api,
    credits_api,
    einvoices_api,
    finding_api,
    feeds_api,
    ckan_api,
    harvest_api,
    invoices_api,
    linkages_api,
    listings_api,
    metering_api,
    offers_api,
    quality_api,
    oversight_api,
    duties_api,
    own_api,
    payments_api,
    cards_api,
    payouts_api,
    preview_api,
    publications_api,
    queries_api,
    spending_api,
    subjects_api,
    watch_api,
    health,
)


def create_app(opened: AbstractAsyncContextManager[Services]) -> Litestar:
    """The whole service; its parts open when it starts and close when it stops."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with opened as services:
            app.state.services, app.state.provider = services, Provider(services.config)
            app.state.allowance, app.state.arriving = services.allowance, arriving(services.config)
            yield

    app = Litestar(
        route_handlers=[*(h for module in API for h in module.handlers), *pages.handlers, pages.static()],
        dependencies={**PARTS, **CALLERS, **SUBJECTS},
        after_request=unkept,
        exception_handlers=PROBLEM_HANDLERS,
        before_request=charge_nobody,
        middleware=[Bounded],
        lifespan=[lifespan],
        template_config=pages.template_config(),
        openapi_config=api_document.config(),
        request_max_body_size=BODY_BYTES,
    )
    app.asgi_handler = Heads(app.asgi_handler)
    return app


def provide_services(state: State) -> Services:
    found: Services = state.services
    return found


def provide_provider(state: State) -> Provider:
    found: Provider = state.provider
    return found


def _part(name: str) -> Provide:
    """One of the services, under its own name."""

    def provide(state: State) -> Any:
        return getattr(state.services, name)

    return Provide(provide, sync_to_thread=False)


SERVICES = ("config", "database", "store", "engine", "pool", "keys", "table_uploads", "exports", "payments")
PARTS = {
    **{name: _part(name) for name in SERVICES},
    "services": Provide(provide_services, sync_to_thread=False),
    "session": Provide(provide_session),
    "press": Provide(provide_press, sync_to_thread=False),
    "provider": Provide(provide_provider, sync_to_thread=False),
}
