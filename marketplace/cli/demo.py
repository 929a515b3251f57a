"""`sandulieu demo`: the main job on embedded defaults, told step by step; then the pages are served."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from marketplace.cli import registers
from marketplace.cli.client import Client, Unreachable
from marketplace.cli.demo_parties import Parties, prepare_parties
from marketplace.cli.demo_stage import generated
from marketplace.cli.demo_story import Told, play
from marketplace.cli.ports import free
from marketplace.config import Config, load
from marketplace.db.schema import bring_up_to_date

START_TIMEOUT_S = 180
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """demo, and what else it can make."""
    demo = subparsers.add_parser("demo")
    demo.add_argument("--no-serve", action="store_true")
    demo.set_defaults(func=run)
    registers.add_parser(demo.add_subparsers(metavar="[registers]"))


def run(chosen: argparse.Namespace) -> int:
    """Play the story through a real service; then leave it serving, unless told not to."""
    config = load()
    said = sys.stderr if chosen.json else sys.stdout

    def tell(line: str) -> None:
        print(line, file=said, flush=True)

    if not EXAMPLES.is_dir():
        tell("Bản trình diễn cần thư mục examples/ của mã nguồn. / The demo needs examples/ of a source checkout.")
        return 1
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    tell(f"→ {config.home}")
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    bring_up_to_date(config)
    parties = asyncio.run(prepare_parties(config))
    listen = f"http://{config.host}:{config.port}"
    wanted = 0 if chosen.no_serve else config.port
    if wanted and not free(config.host, wanted):
        tell(f"Cổng {config.port} đang bận; đặt SANDULIEU_PORT. / Port {config.port} is busy; set SANDULIEU_PORT.")
        return 1
    register = generated(EXAMPLES, config.home)
    with (
        citizens(config, register) as sign_in,
        service(config, wanted or unused_port(config.host), parties.tokens["operator"], sign_in) as (process, url),
    ):
        told = play(
            Client(url), parties, examples=EXAMPLES, home=config.home, tell=tell, with_citizens=bool(sign_in)
        )
        if chosen.json:
            print(json.dumps(summary(told, parties, listen), ensure_ascii=False), flush=True)
        if not told.good:
            return 1
        if chosen.no_serve:
            tell("\n`make demo` không có SERVE=0 mở các trang và cho tài khoản đăng nhập")
            tell("`make demo` without SERVE=0 serves the pages and says who may sign in")
        else:
            accounts(parties, url, tell)
            if sign_in:
                tell(f"  công dân tổng hợp, VNeID GIẢ / synthetic citizens, FAKE VNeID   → {url}/toi")
            tell("\nCtrl-C để dừng / to stop")
            process.wait()
    return 0


def summary(told: Told, parties: Parties, base_url: str) -> dict[str, object]:
    """The object that DESIGN §5 promises."""
    return {
        "base_url": base_url,
        "tokens": parties.tokens,
        "dataset_id": told.dataset_id,
        "agreement_id": told.agreement_id,
        "purpose": told.purpose,
        "query_id": told.query_id,
        "charged_vnd": told.charged_vnd,
        "receipt": str(told.receipt),
        "checkpoint": told.checkpoint,
    }


FIRST_PAGES = {"operator": "/wallet", "owner": "/applications", "startup": "/console", "regulator": "/log"}
"""Where each has something to do at once."""


def accounts(parties: Parties, url: str, tell: Callable[[str], None]) -> None:
    """Where to sign in, and as whom."""
    tell(f"\nMở / open  {url}\n")
    for person in parties.people:
        tell(f"  {person.role:<10} {person.email:<23} {person.password}   → {FIRST_PAGES[person.role]}")


@contextlib.contextmanager
def citizens(config: Config, register: Path) -> Iterator[Mapping[str, str]]:
    """A fake VNeID in its own process, and the environment of a service whose visitors sign in there.

    Nothing of it where an issuer is configured: only this demo ever starts a fake.
    """
    if config.oidc_issuer:
        yield {}
        return
    command = [sys.executable, str(EXAMPLES / "vneid_fake" / "server.py"), str(register)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # a pipe was asked for
        issuer = process.stdout.readline().strip()
        # A visitor wants to see the story's own queries among the use, not in a quarter of an hour.
        yield {"SANDULIEU_OIDC_ISSUER": issuer, "SANDULIEU_SUBJECT_USAGE_REFRESH_S": "1"}
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def service(
    config: Config, port: int, token: str, environment: Mapping[str, str]
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A real `sandulieu serve` in its own process, ready to answer whoever has the token."""
    url = f"http://{config.host}:{port}"
    command = [sys.executable, "-m", "marketplace.cli.main", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=sys.stderr)
    try:
        wait_ready(Client(url, token, timeout_s=5), process)
        yield process, url
    except KeyboardInterrupt:
        pass
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        process.kill()


def wait_ready(client: Client, process: subprocess.Popen[bytes]) -> None:
    """Until the service of this home answers there: another's, which had the port first, knows no such token.

    Raises Unreachable once the process has ended, or after START_TIMEOUT_S."""
    until = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(Unreachable):
            if client.get("/readyz").ok and client.get("/api/v1/tokens").ok:
                return
        time.sleep(0.05)
    raise Unreachable(url=client.base_url)


def unused_port(host: str) -> int:
    """A port that the system gives."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
