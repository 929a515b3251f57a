"""Sends an account's events as webhooks, permuted and repeated, several at once: a bad day at Stripe.

`python -m tests.marketplace.payments.stripe.sender STRIPE TARGET SECRET SEED COPIES` prints how many were sent,
and how many were answered otherwise than 200 to the last.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from tests.marketplace.payments.stripe.server import KEY

AT_ONCE = 16
TRIES = 5


def main(stripe: str, target: str, secret: str, seed: int, copies: int) -> None:
    events = _events(stripe)
    deliveries = [event for event in events for _ in range(copies)]
    random.Random(seed).shuffle(deliveries)
    with httpx.Client(timeout=60) as http, ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda event: _deliver(http, target, secret, event), deliveries))
    print(json.dumps({"events": len(events), "sent": len(answers), "refused": answers.count(False)}))


def _deliver(http: httpx.Client, target: str, secret: str, event: dict[str, Any]) -> bool:
    """Until it is answered 200, as Stripe tries for days."""
    body = json.dumps(event).encode()
    for _ in range(TRIES):
        stamp = str(int(time.time()))
        mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        answer = http.post(target, content=body, headers={"Stripe-Signature": f"t={stamp},v1={mac}"})
        if answer.status_code == 200:
            return True
    return False


def _events(stripe: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    more: dict[str, str] = {}
    while True:
        asked = {"limit": "100", **more}
        page = httpx.get(f"{stripe}/v1/events", params=asked, headers={"Authorization": f"Bearer {KEY}"}).json()
        found += page["data"]
        if not page["has_more"]:
            return found
        more = {"starting_after": found[-1]["id"]}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], seed=int(sys.argv[4]), copies=int(sys.argv[5]))
