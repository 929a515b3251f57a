"""What a test says to the Stripe of ours."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import httpx

from tests.marketplace.payments.stripe.server import KEY

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
            page = self._http.get(
                "/v1/events", params={"limit": "100", **more}, headers={"Authorization": f"Bearer {KEY}"}
            ).json()
            found += page["data"]
            if not page["has_more"]:
                return found
            more = {"starting_after": found[-1]["id"]}


def signed(body: bytes, secret: str, at_s: float) -> str:
    """The header as Stripe writes it."""
    stamp = str(int(at_s))
    mac = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={mac},v0=00"
