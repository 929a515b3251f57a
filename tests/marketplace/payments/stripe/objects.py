"""What happens inside Stripe: customers pay, cards are declined, banks dispute; each tells its event."""

from __future__ import annotations

import itertools
import secrets
import threading
import time
from typing import Any

Thing = dict[str, Any]
KINDS = {
    "customer": "cus", "checkout.session": "cs", "payment_intent": "pi", "payment_method": "pm", "charge": "ch",
    "refund": "re", "dispute": "dp", "event": "evt", "transfer": "tr", "transfer_reversal": "trr",
    "billing_portal.session": "bps",
}  # fmt: skip


class Refused(Exception):
    """An answer with an error."""

    def __init__(self, status: int, kind: str, code: str, **more: Any) -> None:
        super().__init__(code)
        self.status, self.error = status, {"type": kind, "code": code, "message": f"fake: {code}"} | more


class Account:
    """Everything of one account, in memory. Callers hold `lock`."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.things: dict[str, Thing] = {}
        self.broke = False
        self._numbers, self._token = itertools.count(1), secrets.token_hex(4)

    def make(self, kind: str, **fields: Any) -> Thing:
        number = next(self._numbers)
        key = f"{KINDS[kind]}_{self._token}{number:06d}"
        thing = {"id": key, "object": kind, "created": int(time.time()), "livemode": False, "metadata": {}}
        self.things[key] = {**thing, **fields}
        return self.things[key]

    def get(self, key: str, kind: str) -> Thing:
        found = self.things.get(key)
        if found is None or found["object"] != kind:
            raise Refused(404, "invalid_request_error", "resource_missing", param=kind)
        return found

    def all(self, kind: str, **same: Any) -> list[Thing]:
        """Newest first."""
        found = [t for t in self.things.values() if t["object"] == kind]
        return [t for t in reversed(found) if all(t.get(name) == value for name, value in same.items())]

    def tell(self, type_: str, thing: Thing) -> None:
        """Events hold the object as it was then: whoever believes them believes the past."""
        self.make("event", type=type_, data={"object": {**thing}}, api_version="2026-10-28.endive")

    def new_method(self, customer: str | None, behaviour: str) -> Thing:
        card = {"brand": "visa", "last4": "4242", "exp_year": 2031, "exp_month": 5}
        method = self.make("payment_method", type="card", customer=customer, card=card, behaviour=behaviour)
        if customer:
            self.tell("payment_method.attached", method)
        return method

    def intent(self, **fields: Any) -> Thing:
        empty = {
            "amount_received": 0, "latest_charge": None, "last_payment_error": None, "next_action": None,
            "payment_method": None, "status": "requires_payment_method",
        }  # fmt: skip
        return self.make("payment_intent", **{**empty, **fields})

    def confirm(self, intent: Thing, method: Thing, *, off_session: bool, return_url: str | None) -> None:
        intent["payment_method"] = method["id"]
        needs_person = method["behaviour"] == "action"
        if method["behaviour"] == "decline" or (needs_person and off_session):
            code = "authentication_required" if needs_person else "card_declined"
            self._decline(intent, code)
        elif needs_person:
            redirect = {"url": f"https://bank.example/{intent['id']}", "return_url": return_url}
            intent |= {"status": "requires_action", "next_action": {"redirect_to_url": redirect}}
            self.tell("payment_intent.requires_action", intent)
        else:
            self.succeed(intent)

    def succeed(self, intent: Thing) -> None:
        charge = self.make(
            "charge", amount=intent["amount"], currency=intent["currency"], payment_intent=intent["id"],
            disputed=False, amount_refunded=0,
        )  # fmt: skip
        intent |= {
            "status": "succeeded", "amount_received": intent["amount"], "latest_charge": charge["id"],
            "next_action": None,
        }  # fmt: skip
        self.tell("charge.succeeded", charge)
        self.tell("payment_intent.succeeded", intent)

    def _decline(self, intent: Thing, code: str) -> None:
        reason = {"code": code, "decline_code": "insufficient_funds" if code == "card_declined" else code}
        intent |= {"status": "requires_payment_method", "payment_method": None, "last_payment_error": reason}
        self.tell("payment_intent.payment_failed", intent)
        raise Refused(402, "card_error", code, payment_intent={**intent})

    def pay_checkout(self, session: Thing, *, decline: bool, save: bool) -> None:
        intent = self.get(session["payment_intent"], "payment_intent")
        method = self.new_method(session["customer"] if save else None, "decline" if decline else "ok")
        self.confirm(intent, method, off_session=False, return_url=None)
        session |= {"status": "complete", "payment_status": "paid", "url": None}
        self.tell("checkout.session.completed", session)

    def expire_checkout(self, session: Thing) -> None:
        session |= {"status": "expired", "url": None}
        self.cancel(self.get(session["payment_intent"], "payment_intent"))
        self.tell("checkout.session.expired", session)

    def cancel(self, intent: Thing) -> None:
        if intent["status"] in ("succeeded", "canceled"):
            raise Refused(400, "invalid_request_error", "payment_intent_unexpected_state")
        intent |= {"status": "canceled", "next_action": None}
        self.tell("payment_intent.canceled", intent)

    def refund(self, intent: Thing, amount: int | None, metadata: Thing, status: str) -> Thing:
        if intent["status"] != "succeeded":
            raise Refused(400, "invalid_request_error", "payment_intent_unexpected_state")
        charge = self.get(intent["latest_charge"], "charge")
        asked = intent["amount"] - charge["amount_refunded"] if amount is None else amount
        if charge["disputed"]:
            raise Refused(400, "invalid_request_error", "charge_disputed")
        if not 0 < asked <= intent["amount"] - charge["amount_refunded"]:
            raise Refused(400, "invalid_request_error", "charge_already_refunded")
        charge["amount_refunded"] += asked
        refund = self.make(
            "refund", amount=asked, currency=intent["currency"], payment_intent=intent["id"], charge=charge["id"],
            status=status, metadata=metadata, reason=None,
        )  # fmt: skip
        self.tell("refund.created", refund)
        self.tell("charge.refunded", charge)
        return refund

    def end_refund(self, refund: Thing, status: str) -> None:
        if status == "failed":
            self.get(refund["charge"], "charge")["amount_refunded"] -= refund["amount"]
        refund["status"] = status
        self.tell("refund.updated", refund)

    def dispute(self, intent: Thing) -> Thing:
        charge = self.get(intent["latest_charge"], "charge")
        charge["disputed"] = True
        dispute = self.make(
            "dispute", amount=intent["amount"], currency=intent["currency"], payment_intent=intent["id"],
            charge=charge["id"], status="needs_response", reason="fraudulent",
        )  # fmt: skip
        self.tell("charge.dispute.created", dispute)
        self.tell("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def end_dispute(self, dispute: Thing, status: str) -> None:
        dispute["status"] = status
        self.tell("charge.dispute.closed", dispute)

    def transfer(self, amount: int, destination: str, group: str, metadata: Thing) -> Thing:
        if destination.endswith("unchecked"):
            raise Refused(400, "invalid_request_error", "insufficient_capabilities_for_transfer")
        if destination.endswith("gone"):
            raise Refused(400, "invalid_request_error", "account_invalid")
        if self.broke:
            raise Refused(400, "invalid_request_error", "balance_insufficient")
        made = self.make(
            "transfer", amount=amount, currency="vnd", destination=destination, transfer_group=group,
            metadata=metadata, amount_reversed=0, reversed=False,
            reversals={"object": "list", "data": [], "has_more": False, "url": "/"},
        )  # fmt: skip
        self.tell("transfer.created", made)
        return made

    def reverse(self, transfer: Thing, amount: int) -> Thing:
        taken = self.make("transfer_reversal", amount=amount, transfer=transfer["id"], currency="vnd")
        transfer["reversals"]["data"].append(taken)
        transfer["amount_reversed"] += amount
        transfer["reversed"] = transfer["amount_reversed"] == transfer["amount"]
        self.tell("transfer.reversed", transfer)
        return taken
