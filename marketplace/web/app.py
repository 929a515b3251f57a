"""The service: API and pages over the same verbs and reads."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide

from catalog.storage import Store
from marketplace.accounts import api as accounts_api
from marketplace.accounts.allowance import charge_nobody
from marketplace.accounts.callers import CALLERS
from marketplace.accounts.seats import Seats
from marketplace.agreements import api as agreements_api
from marketplace.agreements import preview_api
from marketplace.audit import api as audit_api
from marketplace.billing import api as billing_api
from marketplace.closing import api as closing_api
from marketplace.config import Config
from marketplace.consents import api as consents_api
from marketplace.db.engine import Database, provide_session
from marketplace.db.keys import Keys
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
from marketplace.payments.provider import Payments
from marketplace.payouts import api as payouts_api
from marketplace.publications import api as publications_api
from marketplace.quality import api as quality_api
from marketplace.queries import api as queries_api
from marketplace.queries.services import Services
from marketplace.spending import api as spending_api
from marketplace.subjects import api as subjects_api
from marketplace.web import api_document, health, pages
from marketplace.web.headers import unkept
from marketplace.web.heads import Heads
from marketplace.web.problem_pages import PROBLEM_HANDLERS
from policies.engine import Engine
from sandbox.isolation.pool import Pool

BODY_BYTES = 2 * 1024 * 1024
"""Of any request but a publication, which has its own bound; read before anybody asks who sends it."""

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
            app.state.allowance = services.allowance
            yield

    app = Litestar(
        route_handlers=[*(h for module in API for h in module.handlers), *pages.handlers, pages.static()],
        dependencies={**PARTS, **CALLERS, **SUBJECTS},
        after_request=unkept,
        exception_handlers=PROBLEM_HANDLERS,
        before_request=charge_nobody,
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


def provide_config(services: Services) -> Config:
    return services.config


def provide_database(services: Services) -> Database:
    return services.database


def provide_store(services: Services) -> Store:
    return services.store


def provide_engine(services: Services) -> Engine:
    return services.engine


def provide_pool(services: Services) -> Pool:
    return services.pool


def provide_keys(services: Services) -> Keys:
    return services.keys


def provide_table_uploads(services: Services) -> Seats:
    return services.table_uploads


def provide_exports(services: Services) -> Seats:
    return services.exports


def provide_payments(services: Services) -> Payments:
    return services.payments


PARTS = {
    "services": Provide(provide_services, sync_to_thread=False),
    "config": Provide(provide_config, sync_to_thread=False),
    "database": Provide(provide_database, sync_to_thread=False),
    "session": Provide(provide_session),
    "store": Provide(provide_store, sync_to_thread=False),
    "engine": Provide(provide_engine, sync_to_thread=False),
    "pool": Provide(provide_pool, sync_to_thread=False),
    "keys": Provide(provide_keys, sync_to_thread=False),
    "table_uploads": Provide(provide_table_uploads, sync_to_thread=False),
    "exports": Provide(provide_exports, sync_to_thread=False),
    "press": Provide(provide_press, sync_to_thread=False),
    "payments": Provide(provide_payments, sync_to_thread=False),
    "provider": Provide(provide_provider, sync_to_thread=False),
}
