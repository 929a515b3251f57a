"""`sandulieu serve` and `sandulieu worker`."""

from __future__ import annotations

import argparse
import asyncio
import signal

import uvicorn
import uvloop

from marketplace.config import Config, load
from marketplace.web.jails import Jails, opening

STARTUP_FAILED = 3


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """serve, worker."""
    serve = subparsers.add_parser("serve", help="API, trang web và việc nền / API, pages and background work")
    serve.add_argument("--host", help="default: SANDULIEU_HOST, 127.0.0.1")
    serve.add_argument("--port", type=int, help="default: SANDULIEU_PORT, 8080")
    serve.add_argument("--no-background", action="store_true", help="a `worker` runs elsewhere")
    serve.set_defaults(func=run_serve)
    worker = subparsers.add_parser("worker", help="chỉ việc nền / background work only: log sequencer and sweeps")
    worker.set_defaults(func=run_worker)


def run_serve(chosen: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    config = load()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(config, chosen))


async def _serve(config: Config, chosen: argparse.Namespace) -> int:
    stopped = _asked_to_stop()
    async with opening(config) as jails:
        # In a thread, for this one has to look after the jails: two seconds that both take at once.
        served = await asyncio.to_thread(_served, config, chosen, jails)
        if not stopped.is_set():
            await served.serve()
    return 0 if served.started or stopped.is_set() else STARTUP_FAILED


def _served(config: Config, chosen: argparse.Namespace, jails: Jails) -> uvicorn.Server:
    from marketplace.web.app import create_app
    from marketplace.web.parts import open_services

    return uvicorn.Server(
        uvicorn.Config(
            create_app(open_services(config, jails, background=not chosen.no_background)),
            host=chosen.host or config.host,
            port=chosen.port or config.port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=10,
        )
    )


def run_worker(chosen: argparse.Namespace) -> int:
    """Background work until SIGTERM or SIGINT."""
    del chosen
    return asyncio.run(_work())


async def _work() -> int:
    from marketplace.web.parts import work

    await work(load(), _asked_to_stop())
    return 0


def _asked_to_stop() -> asyncio.Event:
    """Set by SIGTERM and SIGINT, but while uvicorn serves, which hands them on when it has ended."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    return stopped
