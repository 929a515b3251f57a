"""Both engines as they really run: the module in this process, and an OPA server with our bundle."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from policies.binaries import Name, find
from policies.build import bundle
from policies.server import ServerEngine
from policies.wasm import WasmEngine

READY_S = 15.0
TIMEOUT_MS = 5_000


def program(name: Name) -> Path:
    """The pinned binary. Missing: skip here, fail in CI."""
    found = find(name)
    if found is not None:
        return found.path
    message = f"{name} is missing: python tools/fetch.py {name}"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def opa() -> Path:
    return program("opa")


@pytest.fixture(scope="session")
def regal() -> Path:
    return program("regal")


@contextlib.contextmanager
def running(opa: Path, *arguments: str) -> Iterator[str]:
    """An OPA server; its address, once it says that it is healthy."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [str(opa), "run", "--server", "--addr", address, "--log-level", "error", *arguments]
    with subprocess.Popen(command) as server:
        try:
            _wait(f"http://{address}/health?bundles", server)
            yield f"http://{address}"
        finally:
            server.kill()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        assert server.poll() is None, "OPA ended before it was ready"
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
            return
        time.sleep(0.02)
    pytest.fail("OPA was not ready in time")


@pytest.fixture(scope="session")
def opa_url(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with the bundle of these sources."""
    path = bundle(opa, tmp_path_factory.mktemp("bundle") / "bundle.tar.gz")
    with running(opa, "--bundle", str(path)) as url:
        yield url


@pytest.fixture(scope="session")
async def wasm_engine() -> AsyncIterator[WasmEngine]:
    engine = WasmEngine()
    yield engine
    await engine.close()


@pytest.fixture(scope="session")
async def server_engine(opa_url: str) -> AsyncIterator[ServerEngine]:
    engine = ServerEngine(opa_url, timeout_ms=TIMEOUT_MS)
    yield engine
    await engine.close()
