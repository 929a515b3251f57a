"""One call of Stripe's: what it answered, page after page of a list, or what its refusal means here."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable
from typing import TypeVar

import stripe

from marketplace.payments.errors import AnswerKept, CustomerGone, ProviderRefused, ProviderUnavailable

logger = logging.getLogger(__name__)
for name in ("httpx", "stripe"):
    logging.getLogger(name).setLevel(logging.WARNING)
T = TypeVar("T")
Listed = TypeVar("Listed", bound=stripe.StripeObject)


class Declined(Exception):
    """By whoever gave the card."""

    def __init__(self, payment_id: str) -> None:
        super().__init__(payment_id)
        self.payment_id = payment_id


async def ask(call: Awaitable[T]) -> T:
    """What Stripe answered. Raises ProviderUnavailable, CustomerGone, ProviderRefused, Declined."""
    try:
        return await call
    except stripe.CardError as error:
        intent = getattr(error.error, "payment_intent", None)
        if intent is not None:
            raise Declined(intent["id"]) from None
        raise ProviderRefused(reason=error.code or "card_declined") from None
    except stripe.StripeError as error:
        status, code = error.http_status or 0, getattr(error, "code", None) or type(error).__name__
        logger.warning("Stripe said %s, %s (request %s)", status, code, error.request_id)
        # A key that is refused is mended by the operator; until then what was begun waits.
        if status >= 500 and dict(error.headers or {}).get("idempotent-replayed") == "true":
            raise AnswerKept from None
        if status in (0, 401, 403, 409, 429) or status >= 500:
            raise ProviderUnavailable from None
        if (code, getattr(error, "param", None)) == ("resource_missing", "customer"):
            raise CustomerGone from None
        raise ProviderRefused(reason=str(code)) from None


async def every(call: Awaitable[stripe.ListObject[Listed]]) -> AsyncIterator[Listed]:
    """All that a list holds. Raises as `ask`."""
    page = await ask(call)
    while True:
        for one in page.data:
            yield one
        if not page.has_more:
            return
        page = await ask(page.next_page_async())
