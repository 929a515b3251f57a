"""What a test says to the Stripe of ours."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from marketplace.config import Config, Secret
from marketplace.payments.stripe_provider import API_VERSION
from tests.marketplace.payments.stripe.server import KEY

ROOT = Path(__file__).resolve().parents[3]
SECRETS = ("whsec_new", "whsec_old")


class Fake:
    """What a test does at Stripe besides what we ask of it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, timeout=20)

    def do(self, verb: str, about: str, **form: str) -> dict[str, Any]:
        """Something happens to an object: `pay`, `dispute`, `end-dispute`, … The object that came of it."""
        answer = self._http.post(f"/_test/{verb}/{about}", data=form)
        found: dict[str, Any] = answer.json()
        assert answer.status_code in (200, 402), found
        return found

    def post(self, path: str, key: str, **form: str) -> dict[str, Any]:
        """What somebody with the account's key has done there past us."""
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": key, "Stripe-Version": API_VERSION}
        made: dict[str, Any] = self._http.post(path, data=form, headers=headers).json()
        return made

    def tried(self, verb: str, about: str, **form: str) -> dict[str, Any]:
        """The same, or nothing if Stripe refuses."""
        answer = self._http.post(f"/_test/{verb}/{about}", data=form)
        found: dict[str, Any] = answer.json()
        return found if answer.status_code == 200 else {}

    def newest(self) -> str:
        """Id of the newest event, or empty."""
        found = self._page(limit="1")
        return str(found["data"][0]["id"]) if found["data"] else ""

    def since(self, event_id: str) -> list[dict[str, Any]]:
        """Events after that one, newest first."""
        found: list[dict[str, Any]] = self._page(limit="100")["data"]
        ids = [event["id"] for event in found]
        return found[: ids.index(event_id)] if event_id in ids else found

    def _page(self, **asked: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {KEY}"}
        page: dict[str, Any] = self._http.get("/v1/events", params=asked, headers=headers).json()
        return page

    def fail(self, kind: str, times: int = 1) -> None:
        """The next POSTs: `before` or `after` it is done, `drop` the answer, `hang`."""
        self._http.post("/_faults", data={"kind": kind, "times": str(times)})

    def asked(self, path: str) -> list[dict[str, Any]]:
        """The POSTs that came to a path."""
        found = self._http.get("/_asked").json()["asked"]
        return [one for one in found if one["path"].startswith(path) and one["method"] == "POST"]

    def events(self) -> list[dict[str, Any]]:
        """All of them, newest first."""
        found: list[dict[str, Any]] = []
        more: dict[str, str] = {}
        while True:
            page = self._page(limit="100", **more)
            found += page["data"]
            if not page["has_more"]:
                return found
            more = {"starting_after": found[-1]["id"]}


def signed(body: bytes, secret: str, at_s: float) -> str:
    """The header as Stripe writes it."""
    stamp = str(int(at_s))
    mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac},v0=00"


@contextlib.contextmanager
def start_fake() -> Iterator[Fake]:
    """A Stripe of ours in a process of its own."""
    command = [sys.executable, "-m", "tests.marketplace.payments.stripe.server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield Fake(process.stdout.readline().strip())
        finally:
            process.kill()


def with_cards(config: Config, fake: Fake) -> Config:
    """The same home, where that Stripe takes cards."""
    return msgspec.structs.replace(
        config,
        stripe_api_key=Secret(KEY),
        stripe_webhook_secrets=tuple(Secret(secret) for secret in SECRETS),
        stripe_api_url=fake.url,
        stripe_timeout_ms=5_000,
        usd_rates_vnd="2026-01-01=25000",
    )
