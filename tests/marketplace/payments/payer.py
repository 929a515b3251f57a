"""A startup that pays in, and what happens at Stripe meanwhile."""

from __future__ import annotations

import json
import time
from typing import Any
from uuid import UUID

from marketplace.accounts.callers import StartupAdmin, narrow
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.payments.provider import Payments
from marketplace.payments.topups import advance
from tests.marketplace.api import Client
from tests.marketplace.parties import Party
from tests.marketplace.payments.fake import SECRETS, Fake, signed

TOP_UPS = "/api/v1/wallet/top-ups"


class Payer:
    def __init__(
        self, desk: Client, fake: Fake, party: Party, database: Database, payments: Payments, config: Config
    ) -> None:
        self.desk, self.fake, self.party = desk, fake, party
        self._database, self._payments, self._config = database, payments, config

    @property
    def organisation_id(self) -> UUID:
        return self.party.organisation.id

    @property
    def admin(self) -> StartupAdmin:
        return narrow(self.party.caller, StartupAdmin, "startup", "admin")

    async def order(self, status: int = 201, **wish: Any) -> dict[str, Any]:
        """An order, on Stripe's page for 200,000 đồng unless said otherwise."""
        body = {"kind": "checkout", "amount": 200_000, **wish}
        answer = await self.desk.post(TOP_UPS, json=body, token=self.party.token)
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def paid(self, **wish: Any) -> str:
        """A page that was paid on, and looked at; the payment's id."""
        order = await self.order(**wish)
        payment = self.pay(order)
        await self.advance(order["id"])
        return payment

    def pay(self, order: dict[str, Any]) -> str:
        """Somebody pays on the page; the payment's id."""
        return str(self.fake.do("pay", page_of(order))["payment_intent"])

    def customer_of(self, order: dict[str, Any]) -> str:
        """Who the page is for, at Stripe."""
        return str(self.fake.do("look", page_of(order))["customer"])

    async def shown(self, top_up_id: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.desk.get(f"{TOP_UPS}/{top_up_id}", token=self.party.token)).json()
        return found

    async def advance(self, top_up_id: str) -> None:
        await advance(self._database, self._payments.require(), self._config, UUID(top_up_id))

    async def method(self, behaviour: str = "ok") -> str:
        """A saved method of the startup, told by a webhook; before it a page was paid on."""
        order = await self.order()
        session = self.fake.do("pay", page_of(order))
        await self.advance(order["id"])
        method = self.fake.do("method", session["customer"], behaviour=behaviour)
        assert (await self.tell(self.events(method["id"])[0])).status_code == 200
        return str(method["id"])

    def events(self, about: str) -> list[dict[str, Any]]:
        """Events about an object, or about what belongs to a payment; oldest first."""
        found = reversed(self.fake.events())
        return [
            e for e in found if about in (e["data"]["object"]["id"], e["data"]["object"].get("payment_intent"))
        ]

    async def tell(self, event: dict[str, Any], secret: str = SECRETS[0], at_s: float | None = None) -> Any:
        """The event as Stripe sends it."""
        body = json.dumps(event).encode()
        header = {"Stripe-Signature": signed(body, secret, time.time() if at_s is None else at_s)}
        return await self.desk.post("/api/v1/webhooks/stripe", content=body, headers=header)


def page_of(order: dict[str, Any]) -> str:
    return str(order["url"]).rsplit("/", 1)[1]
