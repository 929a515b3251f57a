"""Stripe behind the port. The API version is pinned: what an object looks like does not change under us.

Nothing of Stripe's texts goes further: they may name cards and keys. No call is retried here; the sweep asks again
with the same idempotency key.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import msgspec
import stripe

from marketplace.config import Config, Secret
from marketplace.payments.errors import (
    ProviderRefused,
    SignatureWrong,
)
from marketplace.payments.provider import Notice, Order, SeenCheckout, SeenMethod, SeenPayment
from marketplace.payments.signature import check_signature
from marketplace.payments.stripe_asking import Declined, ask, every
from marketplace.payments.stripe_notices import Event, notice_of
from marketplace.payments.stripe_seen import checkout_of, metadata_id, method_of, payment_of, transfer_of
from marketplace.payouts.carrier import PayoutOrder, SeenReversal, SeenTransfer

API_VERSION = "2026-10-28.endive"
PAGE = 100
ANEW_S = 3_600
"""A second customer of a startup does no harm: the first one that is written down is used."""
EXPAND = ["latest_charge", "payment_method"]

logger = logging.getLogger(__name__)


class StripeProvider:
    """One account at Stripe."""

    def __init__(self, config: Config, api_key: Secret) -> None:
        stripe.enable_telemetry = False
        self._secrets = tuple(secret.reveal() for secret in config.stripe_webhook_secrets)
        self._tolerance_s = config.webhook_tolerance_s
        self._http = stripe.HTTPXClient(timeout=config.stripe_timeout_ms / 1000)
        self._client = stripe.StripeClient(
            api_key.reveal(),
            stripe_version=API_VERSION,
            base_addresses={"api": config.stripe_api_url.rstrip("/")},
            max_network_retries=0,
            http_client=self._http,
        )

    async def close(self) -> None:
        """Close its connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def new_customer(self, *, organisation_id: UUID, name: str, instead_of: str | None = None) -> str:
        """The customer's id. `instead_of`: one that is gone, which asking with its key would give again."""
        made = await ask(
            self._client.v1.customers.create_async(
                {"name": name, "metadata": {"organisation": str(organisation_id)}},
                {"idempotency_key": f"customer-{organisation_id}-{instead_of or int(time.time()) // ANEW_S}"},
            )
        )
        return made.id

    async def start_checkout(self, order: Order, *, save_method: bool) -> SeenCheckout:
        """A page on which the order can be paid within a day."""
        names = {"top_up": str(order.top_up_id), "organisation": str(order.organisation_id)}
        line: stripe.params.checkout.SessionCreateParamsLineItem = {
            "quantity": 1,
            "price_data": {
                "currency": order.currency.lower(),
                "unit_amount": order.amount,
                "product_data": {"name": "Nạp ví Sàn dữ liệu"},
            },
        }
        intent: stripe.params.checkout.SessionCreateParamsPaymentIntentData = {"metadata": names}
        if save_method:
            intent["setup_future_usage"] = "off_session"
        made = await ask(
            self._client.v1.checkout.sessions.create_async(
                {
                    "mode": "payment",
                    # What the startup was told is what is paid: no other currency on Stripe's page.
                    "adaptive_pricing": {"enabled": False},
                    "customer": order.customer_id,
                    "line_items": [line],
                    "payment_intent_data": intent,
                    "metadata": names,
                    "client_reference_id": str(order.top_up_id),
                    "success_url": order.return_url,
                    "cancel_url": order.return_url,
                },
                {"idempotency_key": order.key},
            )
        )
        return checkout_of(made)

    async def checkout(self, checkout_id: str) -> SeenCheckout:
        """The page as it stands."""
        return checkout_of(await ask(self._client.v1.checkout.sessions.retrieve_async(checkout_id)))

    async def charge(self, order: Order, *, method_id: str, present: bool) -> SeenPayment:
        """Take it from a saved method. `present`: somebody is there who can confirm it at the bank's."""
        asked: stripe.params.PaymentIntentCreateParams = {
            "amount": order.amount,
            "currency": order.currency.lower(),
            "customer": order.customer_id,
            "payment_method": method_id,
            "allowed_payment_method_types": ["card"],
            "confirm": True,
            "metadata": {"top_up": str(order.top_up_id), "organisation": str(order.organisation_id)},
        }
        if present:
            asked["return_url"] = order.return_url
        else:
            asked["off_session"] = True
        try:
            made = await ask(self._client.v1.payment_intents.create_async(asked, {"idempotency_key": order.key}))
        except Declined as declined:
            return await self.payment(declined.payment_id)
        return await self.payment(made.id)

    async def cancel(self, payment_id: str) -> SeenPayment:
        """It can no longer be paid; one that was paid or cancelled meanwhile is given as it is."""
        try:
            await ask(
                self._client.v1.payment_intents.cancel_async(
                    payment_id, None, {"idempotency_key": f"cancel-{payment_id}"}
                )
            )
        except ProviderRefused:
            logger.info("%s is not to be cancelled any more", payment_id)
        return await self.payment(payment_id)

    async def payment(self, payment_id: str) -> SeenPayment:
        """The payment with its refunds and disputes."""
        intent = await ask(self._client.v1.payment_intents.retrieve_async(payment_id, {"expand": EXPAND}))
        return await self._with_what_followed(intent)

    async def _with_what_followed(self, intent: stripe.PaymentIntent) -> SeenPayment:
        refunds: list[stripe.Refund] = []
        disputes: list[stripe.Dispute] = []
        if intent.status == "succeeded":
            about = {"payment_intent": intent.id, "limit": PAGE}
            found = await ask(self._client.v1.refunds.list_async(about))  # type: ignore[arg-type]
            refunds = found.data
            charge = intent.latest_charge
            if isinstance(charge, stripe.Charge) and getattr(charge, "disputed", False):
                disputes = (await ask(self._client.v1.disputes.list_async(about))).data  # type: ignore[arg-type]
        return payment_of(intent, refunds, disputes)

    async def find_payment(self, *, customer_id: str, top_up_id: UUID) -> str | None:
        """A payment that was made for the order, though we never heard its id."""
        found = await ask(self._client.v1.payment_intents.list_async({"customer": customer_id, "limit": PAGE}))
        return next((one.id for one in found.data if metadata_id(one.metadata, "top_up") == top_up_id), None)

    async def refund(self, *, payment_id: str, refund_id: UUID, amount: int, key: str) -> SeenPayment:
        """The payment once the refund was asked for."""
        await ask(
            self._client.v1.refunds.create_async(
                {"payment_intent": payment_id, "amount": amount, "metadata": {"refund": str(refund_id)}},
                {"idempotency_key": key},
            )
        )
        return await self.payment(payment_id)

    async def method(self, method_id: str) -> SeenMethod:
        """A saved method as it stands."""
        return method_of(await ask(self._client.v1.payment_methods.retrieve_async(method_id)))

    async def forget_method(self, method_id: str) -> None:
        """Detach it; one that is detached already stays so."""
        try:
            await ask(
                self._client.v1.payment_methods.detach_async(
                    method_id, None, {"idempotency_key": f"forget-{method_id}"}
                )
            )
        except ProviderRefused:
            logger.info("%s is detached already", method_id)

    async def portal_link(self, *, customer_id: str, return_url: str) -> str:
        """A page of Stripe's where the customer sees and changes methods; it lives for minutes."""
        made = await ask(
            self._client.v1.billing_portal.sessions.create_async(
                {"customer": customer_id, "return_url": return_url},
                {"idempotency_key": f"portal-{uuid.uuid4()}"},
            )
        )
        return made.url

    async def send_transfer(self, order: PayoutOrder) -> SeenTransfer:
        """To an account that the owner has at Stripe; the reference goes with it."""
        made = await ask(
            self._client.v1.transfers.create_async(
                {
                    "amount": order.amount_vnd,
                    "currency": "vnd",
                    "destination": order.destination,
                    "transfer_group": order.reference,
                    "metadata": {"payout": str(order.payout_id)},
                },
                {"idempotency_key": order.key},
            )
        )
        return transfer_of(made)

    async def transfer(self, transfer_id: str) -> SeenTransfer:
        """The transfer with what was taken back of it."""
        return await self._whole(await ask(self._client.v1.transfers.retrieve_async(transfer_id)))

    async def find_transfer(self, reference: str) -> SeenTransfer | None:
        """One that was made with the reference, though we never heard its id."""
        found = await ask(self._client.v1.transfers.list_async({"transfer_group": reference, "limit": PAGE}))
        ours = next((one for one in found.data if transfer_of(one).reference), None)
        return await self._whole(ours) if ours is not None else None

    async def _whole(self, transfer: stripe.Transfer) -> SeenTransfer:
        """With all its reversals: the object itself has only the newest few."""
        seen = transfer_of(transfer)
        if not transfer.reversals.has_more:
            return seen
        page = await ask(self._client.v1.transfers.reversals.list_async(transfer.id, {"limit": PAGE}))
        found = [SeenReversal(one.id, one.amount) async for one in page.auto_paging_iter()]
        return msgspec.structs.replace(seen, reversals=tuple(found))

    async def transfers(self, since: datetime) -> AsyncIterator[SeenTransfer]:
        """Every transfer made since, newest first."""
        asked = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        async for one in every(self._client.v1.transfers.list_async(asked)):  # type: ignore[arg-type]
            yield await self._whole(one)

    async def payments(self, since: datetime) -> AsyncIterator[SeenPayment]:
        """Every payment made since, newest first."""
        asked = {
            "created": {"gte": int(since.timestamp())},
            "limit": PAGE,
            "expand": [f"data.{e}" for e in EXPAND],
        }
        async for intent in every(self._client.v1.payment_intents.list_async(asked)):  # type: ignore[arg-type]
            yield await self._with_what_followed(intent)

    async def notices(self, since: datetime) -> AsyncIterator[Notice]:
        """Everything that happened since, newest first; Stripe keeps thirty days."""
        asked = {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
        async for event in every(self._client.v1.events.list_async(asked)):  # type: ignore[arg-type]
            yield notice_of(msgspec.convert(event.to_dict(), Event))

    def open_notice(self, body: bytes, signature: str) -> Notice:
        """What a webhook tells. Raises SignatureWrong."""
        check_signature(body, signature, secrets=self._secrets, now_s=time.time(), tolerance_s=self._tolerance_s)
        try:
            return notice_of(msgspec.json.decode(body, type=Event))
        except msgspec.DecodeError:
            raise SignatureWrong from None
