"""HTTP in front of the account: keys, versions, idempotency as Stripe documents it, and faults on demand.

`python -m tests.marketplace.payments.stripe.server` prints its address, then serves. Below `/_test/` a test does
what people, cards and banks do.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.marketplace.payments.stripe.objects import Account, Refused, Thing

KEY = "sk_test_of_ours"
Form = dict[str, Any]
Answer = tuple[int, Thing]


def parsed(text: str) -> Form:
    """`a[b][0]=c` as nested dicts."""
    form: Form = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        *path, last = re.findall(r"[^\[\]]+", name)
        at = form
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    return form


class Faults:
    """What goes wrong next: `before` or `after` it is done, no answer (`drop`, `hang`); `away`: any call."""

    def __init__(self) -> None:
        self.kind, self.times = "", 0

    def take(self, kind: str) -> bool:
        if self.kind != kind or self.times <= 0:
            return False
        self.times -= 1
        return True


class Stripe:
    """Answers by method and path."""

    def __init__(self) -> None:
        self.account, self.faults = Account(), Faults()
        self.kept: dict[str, tuple[str, Answer | None]] = {}
        self.asked: list[Thing] = []

    def answer(self, method: str, path: str, form: Form) -> Answer:
        for verb, pattern, deed in ROUTES:
            match = re.fullmatch(pattern, path)
            if verb == method and match:
                with self.account.lock:
                    return 200, deed(self.account, form, *match.groups())
        raise Refused(404, "invalid_request_error", "unknown_url")

    def once(self, key: str, asked: str, deed: Callable[[], Answer]) -> tuple[Answer, bool]:
        """The answer of a key, kept whatever it was, once the deed began; and whether it is an old one."""
        with self.account.lock:
            known = self.kept.get(key)
            if known is None:
                self.kept[key] = (asked, None)
        if known is not None:
            if known[0] != asked:
                raise Refused(400, "idempotency_error", "idempotency_key_reused")
            if known[1] is None:
                raise Refused(409, "invalid_request_error", "idempotency_key_in_use")
            return known[1], True
        if self.faults.take("before"):
            del self.kept[key]
            return (503, {"error": {"type": "api_error", "message": "fake: before"}}), False
        try:
            answer = deed()
        except Refused as refused:
            answer = (refused.status, {"error": refused.error})
        if self.faults.take("after"):
            answer = (500, {"error": {"type": "api_error", "message": "fake: after"}})
        self.kept[key] = (asked, answer)
        return answer, False


def listed(things: list[Thing], form: Form, account: Account) -> Thing:
    """A page, newest first."""
    since = int(form.get("created", {}).get("gte", 0))
    found = [thing for thing in things if thing["created"] >= since]
    after = form.get("starting_after")
    if after:
        found = found[[thing["id"] for thing in found].index(after) + 1 :]
    limit = int(form.get("limit", 10))
    page = [expanded(thing, form, account, prefix="data.") for thing in found[:limit]]
    path = {"event": "/v1/events", "payment_intent": "/v1/payment_intents", "transfer": "/v1/transfers"}.get(
        things[0]["object"] if things else ""
    )
    return {"object": "list", "url": path, "data": page, "has_more": len(found) > limit}


def expanded(thing: Thing, form: Form, account: Account, prefix: str = "") -> Thing:
    wanted = {name.removeprefix(prefix) for name in form.get("expand", {}).values() if name.startswith(prefix)}
    inner = {name: account.things[thing[name]] for name in wanted if thing.get(name) in account.things}
    if thing["object"] == "transfer":  # Stripe shows the newest ten
        every = list(reversed(thing["reversals"]["data"]))
        inner["reversals"] = {**thing["reversals"], "data": every[:10], "has_more": len(every) > 10}
    return {**thing, **inner}


def reversals(account: Account, form: Form, key: str) -> Thing:
    return listed(list(reversed(account.get(key, "transfer")["reversals"]["data"])), form, account)


def new_customer(account: Account, form: Form) -> Thing:
    return account.make("customer", name=form.get("name"), metadata=form.get("metadata", {}))


def new_checkout(account: Account, form: Form) -> Thing:
    price = form["line_items"]["0"]["price_data"]
    amount, currency = int(price["unit_amount"]), price["currency"]
    about = form.get("payment_intent_data", {})
    customer = account.get(form["customer"], "customer")["id"]
    intent = account.intent(
        amount=amount, currency=currency, customer=customer, metadata=about.get("metadata", {}),
    )  # fmt: skip
    session = account.make(
        "checkout.session", amount_total=amount, currency=currency, customer=customer, status="open",
        payment_status="unpaid", payment_intent=intent["id"], metadata=form.get("metadata", {}),
        save="setup_future_usage" in about,
    )  # fmt: skip
    session["url"] = f"https://pay.example/{session['id']}"
    return session


def new_intent(account: Account, form: Form) -> Thing:
    account.get(form["customer"], "customer")
    method = account.get(form["payment_method"], "payment_method")
    if method["customer"] != form["customer"]:
        raise Refused(400, "invalid_request_error", "payment_method_customer_mismatch")
    intent = account.intent(
        amount=int(form["amount"]), currency=form["currency"], customer=form["customer"],
        metadata=form.get("metadata", {}),
    )  # fmt: skip
    off_session = form.get("off_session") == "true"
    account.confirm(intent, method, off_session=off_session, return_url=form.get("return_url"))
    return intent


def detach(account: Account, form: Form, key: str) -> Thing:
    method = account.get(key, "payment_method")
    method["customer"] = None
    account.tell("payment_method.detached", method)
    return method


def cancel(account: Account, form: Form, key: str) -> Thing:
    intent = account.get(key, "payment_intent")
    account.cancel(intent)
    return intent


def new_refund(account: Account, form: Form) -> Thing:
    intent = account.get(form["payment_intent"], "payment_intent")
    amount = int(form["amount"]) if "amount" in form else None
    return account.refund(intent, amount, form.get("metadata", {}), form.get("status", "succeeded"))


def portal(account: Account, form: Form) -> Thing:
    session = account.make("billing_portal.session", customer=account.get(form["customer"], "customer")["id"])
    return {**session, "url": f"https://portal.example/{session['id']}"}


def new_transfer(account: Account, form: Form) -> Thing:
    assert form["currency"] == "vnd"
    return account.transfer(
        int(form["amount"]), form["destination"], form.get("transfer_group", ""), form.get("metadata", {})
    )


def of_test(account: Account, form: Form, verb: str, key: str) -> Thing:
    """What happens in the world."""
    if verb == "method":
        return account.new_method(key, form.get("behaviour", "ok"))
    if verb == "balance":
        account.broke = key == "empty"
        return {}
    thing = account.things[key]
    deeds: dict[str, Callable[[], object]] = {
        "pay": lambda: account.pay_checkout(thing, decline="decline" in form, save=thing["save"]),
        "expire": lambda: account.expire_checkout(thing),
        "confirm": lambda: account.succeed(thing),
        "refund": lambda: account.refund(thing, int(form["amount"]), {}, form.get("status", "succeeded")),
        "end-refund": lambda: account.end_refund(thing, form["status"]),
        "dispute": lambda: account.dispute(thing),
        "forget": lambda: detach(account, {}, key),
        "look": lambda: thing,
        "delete": lambda: account.things.pop(key),
        "reverse": lambda: account.reverse(thing, int(form["amount"])),
        "end-dispute": lambda: account.end_dispute(thing, form["status"]),
    }
    made = deeds[verb]()
    return made if isinstance(made, dict) else thing


def one(kind: str) -> Callable[..., Thing]:
    return lambda account, form, key: expanded(account.get(key, kind), form, account)


def several(kind: str, *filters: str) -> Callable[..., Thing]:
    return lambda account, form: listed(
        account.all(kind, **{name: form[name] for name in filters if name in form}), form, account
    )


ROUTES: list[tuple[str, str, Callable[..., Thing]]] = [
    ("POST", "/v1/customers", new_customer),
    ("POST", "/v1/transfers", new_transfer),
    ("GET", "/v1/transfers", several("transfer", "transfer_group")),
    ("GET", "/v1/transfers/([^/]+)/reversals", reversals),
    ("GET", "/v1/transfers/([^/]+)", one("transfer")),
    ("POST", "/v1/checkout/sessions", new_checkout),
    ("GET", "/v1/checkout/sessions/(.+)", one("checkout.session")),
    ("POST", "/v1/payment_intents", new_intent),
    ("GET", "/v1/payment_intents", several("payment_intent", "customer")),
    ("GET", "/v1/payment_intents/([^/]+)", one("payment_intent")),
    ("POST", "/v1/payment_intents/(.+)/cancel", cancel),
    ("GET", "/v1/payment_methods/([^/]+)", one("payment_method")),
    ("POST", "/v1/payment_methods/(.+)/detach", detach),
    ("POST", "/v1/refunds", new_refund),
    ("GET", "/v1/refunds", several("refund", "payment_intent")),
    ("GET", "/v1/disputes", several("dispute", "payment_intent")),
    ("POST", "/v1/billing_portal/sessions", portal),
    ("GET", "/v1/events", several("event")),
    ("POST", "/_test/([a-z-]+)/(.+)", of_test),
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    stripe: Stripe

    def do_GET(self) -> None:
        self._serve("GET", "")

    def do_POST(self) -> None:
        self._serve("POST", self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode())

    def _serve(self, method: str, body: str) -> None:
        parts = urlsplit(self.path)
        form = parsed(body or parts.query)
        try:
            (status, answer), old = self._answer(method, parts.path, form, body)
        except Refused as refused:
            (status, answer), old = (refused.status, {"error": refused.error}), False
        if method == "POST" and not parts.path.startswith("/_"):
            if self.stripe.faults.take("drop"):
                self.close_connection = True
                return
            if self.stripe.faults.take("hang"):
                time.sleep(0.6)
        self._send(status, answer, old)

    def _answer(self, method: str, path: str, form: Form, body: str) -> tuple[Answer, bool]:
        if path == "/_faults":
            self.stripe.faults.kind, self.stripe.faults.times = form["kind"], int(form["times"])
            return (200, {}), False
        if path == "/_asked":
            return (200, {"asked": self.stripe.asked}), False
        if path.startswith("/_test/"):
            return self.stripe.answer(method, path, form), False
        if self.headers["Authorization"] != f"Bearer {KEY}":
            said = f"Invalid API Key provided: {self.headers['Authorization']}"
            raise Refused(401, "invalid_request_error", "api_key_invalid", said=said, message=said)
        key = self.headers["Idempotency-Key"]
        self.stripe.asked.append(
            {"method": method, "path": path, "key": key, "version": self.headers["Stripe-Version"]}
        )
        if self.stripe.faults.take("away"):
            return (503, {"error": {"type": "api_error", "message": "fake: away"}}), False
        if method == "GET":
            return self.stripe.answer(method, path, form), False
        asked = hashlib.sha256(f"{path}\n{body}".encode()).hexdigest()
        return self.stripe.once(key, asked, lambda: self.stripe.answer(method, path, form))

    def _send(self, status: int, answer: Thing, old: bool) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        if old:
            self.send_header("Idempotent-Replayed", "true")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not a line a request."""


def main() -> None:
    handler = type("Bound", (Handler,), {"stripe": Stripe()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    threading.Thread(target=server.serve_forever).run()


if __name__ == "__main__":
    main()
