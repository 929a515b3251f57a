"""A small app over the handlers under test, with the real callers, sessions and problems; and its client."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import Any

import uvicorn
from httpx import AsyncClient, Response
from litestar import Litestar
from litestar.di import Provide
from litestar.testing import AsyncTestClient
from litestar.types import ControllerRouterHandler

from marketplace.accounts.callers import CALLERS
from marketplace.config import Config
from marketplace.db.engine import Database, provide_session
from marketplace.identity.callers import SUBJECTS
from marketplace.listings.press import provide_press
from marketplace.web.problems import problem_handler


def small_app(
    handlers: Sequence[ControllerRouterHandler], *, database: Database, config: Config, **more: Any
) -> Litestar:
    """The handlers with everything they may ask for; `more` is given as it is."""
    given = {"database": database, "config": config, **more}
    return Litestar(
        route_handlers=list(handlers),
        dependencies={
            **{name: Provide(_giver(value), sync_to_thread=False) for name, value in given.items()},
            "session": Provide(provide_session),
            "press": Provide(provide_press, sync_to_thread=False),
            **CALLERS,
            **SUBJECTS,
        },
        exception_handlers={Exception: problem_handler},
        openapi_config=None,
        logging_config=None,
    )


@contextlib.asynccontextmanager
async def listening(app: Litestar) -> AsyncIterator[str]:
    """Its address on a port, as long as the block lasts: for whoever asks from a process of its own."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        link.listen()
        task = asyncio.create_task(server.serve(sockets=[link]))
        yield f"http://127.0.0.1:{link.getsockname()[1]}"
        server.should_exit = True
        await task


def _giver(value: Any) -> Any:
    return lambda: value


class Client:
    """Requests as somebody: `await client.get("/api/v1/usage", token=startup.token)`."""

    def __init__(self, http: AsyncTestClient[Litestar] | AsyncClient) -> None:
        self.http = http

    async def request(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> Response:
        """One request; `token` None is the anonymous caller."""
        sent = {**({"Authorization": f"Bearer {token}"} if token else {}), **(headers or {})}
        return await self.http.request(method, path, headers=sent, **body)

    async def get(self, path: str, **options: Any) -> Response:
        """GET."""
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Response:
        """POST; `json=…` is the body."""
        return await self.request("POST", path, **options)

    async def delete(self, path: str, **options: Any) -> Response:
        """DELETE."""
        return await self.request("DELETE", path, **options)
