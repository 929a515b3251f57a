"""`sandulieu serve` and `sandulieu worker`."""

from __future__ import annotations

import argparse
import asyncio
import signal

import uvicorn

from marketplace.config import load
from marketplace.web.app import create_app
from marketplace.web.parts import work


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
    app = create_app(config, background=not chosen.no_background)
    uvicorn.run(
        app,
        host=chosen.host or config.host,
        port=chosen.port or config.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
    )
    return 0


def run_worker(chosen: argparse.Namespace) -> int:
    """Background work until SIGTERM or SIGINT."""
    del chosen
    return asyncio.run(_work())


async def _work() -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)
    await work(load(), stopped)
    return 0
