"""Both engines as they really run: the module in this process, and an OPA server with our bundle."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from policies.binaries import Name, find
from policies.clock import Clock
from policies.module import BUILT, WASM, Built
from policies.release import Released, release
from policies.server import ServerEngine
from policies.sources import FOLDER, revision_of
from policies.trust import Trust
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


def signed(opa: Path, folder: Path, *, age_s: float = 0, served_at: str | None = None) -> Released:
    """The bundle of these sources, signed with the key in `folder`."""
    built_at_ms = time.time_ns() // 1_000_000 - round(age_s * 1000)
    path = folder / "bundle.tar.gz"
    return release(opa, path, keys=folder / "keys", built_at_ms=built_at_ms, served_at=served_at)


def engine_of(url: str, made: Released, *, timeout_ms: int = TIMEOUT_MS, max_age_s: int = 3600) -> ServerEngine:
    """As the service asks the server: only what was signed with that key, and lately."""
    trust = Trust(revision=made.revision, key_id=made.key_id, max_age_s=max_age_s, clock=Clock())
    return ServerEngine(url, timeout_ms=timeout_ms, trust=trust)


def stamp(folder: Path) -> str:
    """Say of the module in a copied folder that it is of the sources there; their revision."""
    found = revision_of(folder)
    built = Built(revision=found, sha256=hashlib.sha256((folder / WASM).read_bytes()).hexdigest())
    (folder / BUILT).write_bytes(msgspec.json.encode(built))
    return found


class Opa(Struct, frozen=True):
    url: str
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def running(opa: Path, *arguments: str | Path, ready: str = "/health?bundles", port: int = 0) -> Iterator[Opa]:
    """An OPA server, once it answers at `ready`. `port`: 0 for any that is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    command = [opa, "run", "--server", "--addr", address, "--log-level", "error", *arguments]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            _wait(f"http://{address}{ready}", server)
            yield Opa(f"http://{address}", server)
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
def released(opa: Path, tmp_path_factory: pytest.TempPathFactory) -> Released:
    """The bundle of these sources, signed."""
    return signed(opa, tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def opa_url(opa: Path, released: Released) -> Iterator[str]:
    """A server that verified the bundle of these sources."""
    with running(opa, "--config-file", released.configuration) as server:
        yield server.url


@pytest.fixture(scope="session")
async def wasm_engine() -> AsyncIterator[WasmEngine]:
    engine = WasmEngine()
    yield engine
    await engine.close()


@pytest.fixture(scope="session")
async def server_engine(opa_url: str, released: Released) -> AsyncIterator[ServerEngine]:
    engine = engine_of(opa_url, released)
    yield engine
    await engine.close()


@pytest.fixture
def copied_policy(tmp_path: Path) -> Path:
    """A copy of the policy's folder that a test may spoil."""
    folder = tmp_path / "policies"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder
