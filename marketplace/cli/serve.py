"""`sandulieu serve` and `sandulieu worker`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import psycopg
import uvicorn
import uvloop
from sqlalchemy.exc import DBAPIError

from marketplace.cli.ports import free
from marketplace.config import Config, load, unknown
from marketplace.db.server import StartFailed
from marketplace.web.jails import opening
from sandbox.isolation.layers import LayerMissing

if TYPE_CHECKING:
    from marketplace.queries.services import Services

STARTUP_FAILED = 3
GRACEFUL_S = 10
"""How long a stop waits for requests; queries have a time of their own after it."""
NEEDED = (ValueError, OSError, StartFailed, DBAPIError, psycopg.Error)
"""What a part raises that does not find what it needs, with what is wrong in its text."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """serve, worker."""
    serve = subparsers.add_parser("serve")
    serve.add_argument("--host")
    serve.add_argument("--port", type=int)
    serve.add_argument("--no-background", action="store_true")
    serve.set_defaults(func=run_serve, json=None)
    worker = subparsers.add_parser("worker")
    worker.set_defaults(func=run_worker, json=None)


def run_serve(chosen: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    config = load()
    tell_unknown()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(_serve(config, chosen))
    except LayerMissing as missing:
        print(
            "✗ Thiếu lớp cách ly: không truy vấn nào được chạy / No query may run without these layers:",
            file=sys.stderr,
        )
        for layer in missing.layers:
            print(f"  {layer.name} ({layer.found}): {layer.how_to_get}", file=sys.stderr)
        return STARTUP_FAILED


async def _serve(config: Config, chosen: argparse.Namespace) -> int:
    stopped = _asked_to_stop()
    if not free(chosen.host or config.host, chosen.port or config.port):
        return _port_taken(chosen.port or config.port)
    async with opening(config) as jails, contextlib.AsyncExitStack() as stack:
        with kept_to_the_end():
            # In a thread, for this one has to look after the jails: two seconds that both take at once.
            open_services = await asyncio.to_thread(_imported)
            services = open_services(config, jails, background=not chosen.no_background)
            opened = asyncio.create_task(stack.enter_async_context(services))
            server = await asyncio.to_thread(server_for, config, chosen, _when(opened))
            # What it cannot start without is told here, in words; the server would tell where in the code it was.
            try:
                await opened
            except NEEDED as wrong:
                return _cannot_start(wrong)
        if not stopped.is_set():
            await server.serve()
    return 0 if server.started or stopped.is_set() else STARTUP_FAILED


@contextlib.contextmanager
def kept_to_the_end() -> Iterator[None]:
    """Modules, tables and routes stay to the end: nobody need look for garbage among them, now or again."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
        _give_back()


def _give_back() -> None:
    """What the start needed and nothing holds any more, to the system: glibc would keep it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _imported() -> Callable[..., AbstractAsyncContextManager[Services]]:
    from marketplace.web.parts import open_services

    return open_services


@contextlib.asynccontextmanager
async def _when(opened: asyncio.Task[Services]) -> AsyncIterator[Services]:
    yield await opened


class ListeningServer(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(f"→ http://{self.config.host}:{self.config.port}", file=sys.stderr, flush=True)


def server_for(
    config: Config, chosen: argparse.Namespace, opened: AbstractAsyncContextManager[Services]
) -> uvicorn.Server:
    """What listens, once the services are open. `chosen`: host and port, where other than configured."""
    from marketplace.web.app import create_app
    from marketplace.web.connections import allow_descriptors, connections

    app = create_app(opened)
    app.state.connections = connections(config)
    allow_descriptors(config.connections_max)
    return ListeningServer(
        uvicorn.Config(
            app,
            http=app.state.connections,
            ws="none",
            host=chosen.host or config.host,
            port=chosen.port or config.port,
            log_level="warning",
            access_log=False,
            forwarded_allow_ips=config.proxy_addresses,
            timeout_graceful_shutdown=GRACEFUL_S,
        )
    )


def tell_unknown() -> None:
    """On standard error, of the environment: names that look like settings and are none."""
    for name in unknown(os.environ):
        print(f"– {name}: không có biến này / no such setting: it changes nothing", file=sys.stderr)


def run_worker(chosen: argparse.Namespace) -> int:
    """Background work until SIGTERM or SIGINT."""
    del chosen
    tell_unknown()
    return asyncio.run(_work())


async def _work() -> int:
    from marketplace.web.parts import work

    stopped = _asked_to_stop()
    try:
        await work(load(), stopped)
    except NEEDED as wrong:
        return _cannot_start(wrong)
    return 0


def _port_taken(port: int) -> int:
    print(
        f"✗ Cổng {port} đang bận; đặt SANDULIEU_PORT hoặc --port. / "
        f"Port {port} is busy; set SANDULIEU_PORT or --port.",
        file=sys.stderr,
    )
    return STARTUP_FAILED


def _cannot_start(wrong: Exception) -> int:
    said = str(wrong.orig if isinstance(wrong, DBAPIError) else wrong).strip()
    print(f"✗ Không khởi động được / cannot start: {said or type(wrong).__name__}", file=sys.stderr)
    return STARTUP_FAILED


def _asked_to_stop() -> asyncio.Event:
    """Set by SIGTERM and SIGINT, but while uvicorn serves, which hands them on when it has ended."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    return stopped
