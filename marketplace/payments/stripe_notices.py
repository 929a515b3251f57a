"""Stripe's events: what we read of one, and what it is about in the words of the port."""

from __future__ import annotations

from msgspec import Struct

from marketplace.payments.provider import Notice
from marketplace.payments.stripe_seen import instant

ABOUT = {"checkout.session": "checkout", "payment_method": "method", "transfer": "transfer"}


class _Object(Struct, frozen=True):
    """What we read of an event's object."""

    id: str = ""
    object: str = ""
    payment_intent: str | None = None


class _Data(Struct, frozen=True):
    object: _Object


class Event(Struct, frozen=True):
    """Of a webhook, or of the list of what happened."""

    id: str
    type: str
    created: int
    data: _Data


def notice_of(event: Event) -> Notice:
    """What is to be asked for again: an event only says that something happened to it."""
    thing = event.data.object
    at = instant(event.created)
    if thing.object == "payment_intent":
        return Notice(id=event.id, type=event.type, about="payment", object_id=thing.id, created_at=at)
    if thing.object in ("charge", "refund", "dispute") and thing.payment_intent:
        return Notice(id=event.id, type=event.type, about="payment", object_id=thing.payment_intent, created_at=at)
    about = ABOUT.get(thing.object, "other")
    return Notice(id=event.id, type=event.type, about=about, object_id=thing.id, created_at=at)  # type: ignore[arg-type]
