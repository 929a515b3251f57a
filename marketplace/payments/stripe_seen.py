"""Stripe's objects in the words of the port."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import stripe

from marketplace.payments.provider import (
    Currency,
    DisputeState,
    PaymentState,
    RefundState,
    SeenCheckout,
    SeenDispute,
    SeenMethod,
    SeenPayment,
    SeenRefund,
)
from marketplace.payouts.carrier import SeenReversal, SeenTransfer

PAYMENTS: dict[str, PaymentState] = {"succeeded": "paid", "canceled": "cancelled", "requires_action": "action"}
REFUNDS: dict[str, RefundState] = {"succeeded": "paid", "failed": "failed", "canceled": "failed"}
DISPUTES: dict[str, DisputeState] = {"lost": "lost", "won": "won", "warning_closed": "won", "prevented": "won"}
CURRENCIES: dict[str, Currency] = {"vnd": "VND", "usd": "USD"}


def instant(unix_s: int) -> datetime:
    """Stripe's instants are whole seconds since the epoch."""
    return datetime.fromtimestamp(unix_s, UTC)


def metadata_id(metadata: Mapping[str, str] | Any, name: str) -> UUID | None:
    """An id of ours, if that is what is there: whoever has the account's dashboard can write anything."""
    try:
        return UUID(metadata[name])
    except (KeyError, TypeError, ValueError):
        return None


def payment_of(
    intent: stripe.PaymentIntent, refunds: Iterable[stripe.Refund], disputes: Iterable[stripe.Dispute]
) -> SeenPayment:
    """A PaymentIntent, with `latest_charge` and `payment_method` expanded."""
    charge = intent.latest_charge if isinstance(intent.latest_charge, stripe.Charge) else None
    error = getattr(intent, "last_payment_error", None)
    state = PAYMENTS.get(intent.status, "waiting")
    if intent.status == "requires_payment_method" and error is not None:
        state = "declined"
    method = intent.payment_method
    kept = isinstance(method, stripe.PaymentMethod) and method.customer is not None
    action = getattr(intent, "next_action", None)
    redirect = getattr(action, "redirect_to_url", None) if action is not None else None
    return SeenPayment(
        id=intent.id,
        top_up_id=metadata_id(intent.metadata, "top_up"),
        # One in another currency is none of ours: nobody here can order it.
        currency=CURRENCIES.get(intent.currency, "VND"),
        amount=getattr(intent, "amount_received", None) or intent.amount,
        state=state if intent.currency in CURRENCIES else "waiting",
        at=instant(charge.created if charge else intent.created),
        decline_code=str(getattr(error, "decline_code", None) or getattr(error, "code", None) or ""),
        action_url=getattr(redirect, "url", None),
        method=method_of(method) if kept else None,  # type: ignore[arg-type]  # kept: it is one
        refunds=tuple(sorted((refund_of(one) for one in refunds), key=lambda one: (one.created_at, one.id))),
        disputes=tuple(sorted((dispute_of(one) for one in disputes), key=lambda one: (one.created_at, one.id))),
    )


def refund_of(refund: stripe.Refund) -> SeenRefund:
    """A Refund."""
    return SeenRefund(
        id=refund.id,
        refund_id=metadata_id(refund.metadata, "refund"),
        amount=refund.amount,
        state=REFUNDS.get(refund.status or "", "pending"),
        created_at=instant(refund.created),
    )


def dispute_of(dispute: stripe.Dispute) -> SeenDispute:
    """A Dispute; an inquiry of the bank counts as one until it is closed."""
    return SeenDispute(
        id=dispute.id,
        amount=dispute.amount,
        state=DISPUTES.get(dispute.status, "open"),
        reason=dispute.reason,
        created_at=instant(dispute.created),
    )


def checkout_of(session: stripe.checkout.Session) -> SeenCheckout:
    """A Checkout Session."""
    intent = session.payment_intent
    return SeenCheckout(
        id=session.id,
        top_up_id=metadata_id(session.metadata, "top_up"),
        url=session.url,
        expired=session.status == "expired",
        payment_id=intent if isinstance(intent, str) or intent is None else intent.id,
    )


def method_of(method: stripe.PaymentMethod) -> SeenMethod:
    """A PaymentMethod: of a card its brand and last four digits, which are no card data (PCI DSS)."""
    customer = method.customer
    card = getattr(method, "card", None)
    return SeenMethod(
        id=method.id,
        customer_id=customer if isinstance(customer, str) or customer is None else customer.id,
        brand=card.brand if card is not None else method.type,
        last4=(card.last4 or "") if card is not None else "",
        expires=f"{card.exp_year:04}-{card.exp_month:02}" if card is not None else "",
    )


def transfer_of(transfer: stripe.Transfer) -> SeenTransfer:
    """A Transfer to a connected account. Of one in another currency nothing is ours."""
    destination = transfer.destination
    ours = transfer.currency == "vnd" and metadata_id(transfer.metadata, "payout") is not None
    return SeenTransfer(
        id=transfer.id,
        reference=(transfer.transfer_group or "") if ours else "",
        destination=destination if isinstance(destination, str) else getattr(destination, "id", ""),
        amount_vnd=transfer.amount,
        reversals=tuple(SeenReversal(one.id, one.amount) for one in transfer.reversals.data),
    )
