"""Our API on a port, for whoever sends webhooks from a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import uvicorn

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.payments import api, cards_api
from marketplace.payments.provider import Payments
from tests.marketplace.api import small_app


@contextlib.asynccontextmanager
async def serving(database: Database, config: Config, payments: Payments) -> AsyncIterator[str]:
    """Its address, as long as the block lasts."""
    app = small_app((*api.handlers, *cards_api.handlers), database=database, config=config, payments=payments)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        link.listen()
        task = asyncio.create_task(server.serve(sockets=[link]))
        yield f"http://127.0.0.1:{link.getsockname()[1]}"
        server.should_exit = True
        await task
