"""The provider that is configured: Stripe, or none."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

from marketplace.config import Config
from marketplace.payments.provider import Payments
from marketplace.payments.rates import dated_rates


@contextlib.asynccontextmanager
async def open_payments(config: Config) -> AsyncIterator[Payments]:
    """Raises ValueError for rates that cannot be read."""
    dated_rates(config)
    if config.stripe_api_key is None:
        yield Payments(None)
        return
    # Whoever takes no cards does not pay for the library's import (0.7 s).
    from marketplace.payments.stripe_provider import StripeProvider

    provider = StripeProvider(config, config.stripe_api_key)
    try:
        yield Payments(provider)
    finally:
        await provider.close()
