"""The pages over a real database: parties with passwords, a listed dataset, and browsers without JavaScript."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from httpx import AsyncClient, Response
from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig
from litestar.testing import AsyncTestClient
from sqlalchemy import update

from catalog.storage import Store
from marketplace.accounts.callers import CALLERS
from marketplace.accounts.models import Person
from marketplace.accounts.seats import Seats
from marketplace.config import Config
from marketplace.db.engine import Database, provide_session
from marketplace.db.keys import Keys
from marketplace.identity.callers import SUBJECTS
from marketplace.identity.provider import Provider
from marketplace.listings.press import provide_press
from marketplace.oversight.errors import TooManyExports
from marketplace.payments.provider import Payments
from marketplace.web import pages
from marketplace.web.problem_pages import problem_answer
from policies.wasm import WasmEngine
from tests.marketplace.agreements.conftest import Sides, open_sides
from tests.marketplace.parties import Party

PASSWORD = "mot-mat-khau-dai-va-la"
_HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
"""Argon2id as it is, at the least costs: nearly every test signs in, and none is about what that should cost."""
TOKEN = re.compile(r'name="csrf_token" value="([^"]*)"')
LOGIN_TOKEN = re.compile(r'name="login_token" value="([^"]+)"')


class Visitor:
    """Somebody with a browser that keeps cookies and sends forms as pages hold them."""

    def __init__(self, http: AsyncTestClient[Litestar] | AsyncClient) -> None:
        self.http = http
        self.http.headers["Accept"] = "text/html,application/xhtml+xml"

    async def get(self, path: str, **headers: str) -> Response:
        """Open a page; redirects are not followed."""
        return await self.http.get(path, headers=headers, follow_redirects=False)

    async def send(
        self,
        path: str,
        fields: dict[str, Any],
        *,
        csrf: str | None = None,
        files: dict[str, Any] | None = None,
        **headers: str,
    ) -> Response:
        """Send a form with the session's CSRF token (or another one)."""
        token = csrf if csrf is not None else await self.csrf()
        return await self.http.post(
            path, data={**fields, "csrf_token": token}, files=files, headers=headers, follow_redirects=False
        )

    async def csrf(self) -> str:
        """The token that the pages' forms carry."""
        found = TOKEN.search((await self.get("/")).text)
        return found[1] if found else ""

    async def sign_in(self, email: str, password: str = PASSWORD, next_path: str = "/") -> Response:
        """Fill in the form at /login."""
        page = await self.get("/login")
        token = LOGIN_TOKEN.search(page.text)
        assert token, page.text
        fields = {"login_token": token[1], "email": email, "password": password, "next": next_path}
        return await self.http.post("/login", data=fields, follow_redirects=False)


Visit = Callable[..., AbstractAsyncContextManager[Visitor]]


@pytest.fixture(scope="session")
async def sides(database: Database) -> Sides:
    return await open_sides(database)


@pytest.fixture
def visit(database: Database, config: Config) -> Visit:
    """`async with visit(party) as visitor`: the pages, signed in as the party's person; None: anonymous."""

    return lambda party=None: visiting(page_app(database, config), database, party)


@asynccontextmanager
async def visiting(app: Litestar, database: Database, party: Party | None) -> AsyncIterator[Visitor]:
    """At the pages of that app."""
    async with AsyncTestClient(app, raise_server_exceptions=False) as http:
        visitor = Visitor(http)
        if party is not None:
            await give_password(database, party)
            assert (await visitor.sign_in(party.person.email)).status_code == 303
        yield visitor


async def give_password(database: Database, party: Party) -> None:
    """PASSWORD is the person's from now on."""
    async with database.session() as session:
        await session.execute(update(Person).where(Person.id == party.person.id).values(password_hash=_HASHED))


@lru_cache(maxsize=8)
def page_app(database: Database, config: Config, **more: Any) -> Litestar:
    """The pages and static files alone, with the real callers and sessions; `more` is given as it is.

    The same app for the same parts: one takes a third of a second, and the first look at each template more."""
    given: dict[str, Any] = {
        "database": database, "config": config, "keys": Keys(config.path("keys")), "services": None,
        "store": Store(config.path("store")), "provider": Provider(config),
        "engine": _engine(), "exports": Seats(2, TooManyExports), "payments": Payments(None), **more,
    }  # fmt: skip
    return Litestar(
        state=State({"services": SimpleNamespace(database=database)}),
        route_handlers=[*pages.handlers, pages.static()],
        dependencies={
            **{name: Provide(_giver(value), sync_to_thread=False) for name, value in given.items()},
            "session": Provide(provide_session),
            "press": Provide(provide_press, sync_to_thread=False),
            **CALLERS,
            **SUBJECTS,
        },
        exception_handlers={Exception: problem_answer},
        template_config=_templates(),
        openapi_config=None,
    )


@cache
def _templates() -> TemplateConfig[JinjaTemplateEngine]:
    return pages.template_config()


@cache
def _engine() -> WasmEngine:
    return WasmEngine()


def _giver(value: Any) -> Any:
    return lambda: value
