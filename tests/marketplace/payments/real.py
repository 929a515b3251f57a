"""Other people's Stripes, each in a process of its own."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.policies.conftest import program

READY_S = 30
LEFT = Path("/tmp/localstripe.pickle")


@contextlib.contextmanager
def stripe_mock() -> Iterator[str]:
    """Stripe's own: every endpoint, held against the OpenAPI document, stateless. Its address."""
    port = _unused()
    with _running([str(program("stripe-mock")), "-http-addr", f"127.0.0.1:{port}"], port) as url:
        yield url


@contextlib.contextmanager
def localstripe() -> Iterator[str]:
    """With state, and webhooks that it signs. Its address."""
    port = _unused()
    python = program("localstripe") / "bin" / "python"
    try:
        with _running([str(python), "-m", "localstripe", "--port", str(port), "--from-scratch"], port) as url:
            yield url
    finally:
        with contextlib.suppress(OSError):
            LEFT.unlink()  # another user's localstripe could not write it


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Iterator[str]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + READY_S
        while not _answers(port):
            assert process.poll() is None, f"{command[0]} ended with {process.returncode}"
            assert time.monotonic() < until, f"{command[0]} does not answer"
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as link:
        return link.connect_ex(("127.0.0.1", port)) == 0


def _unused() -> int:
    with socket.socket() as link:
        link.bind(("127.0.0.1", 0))
        port: int = link.getsockname()[1]
        return port
