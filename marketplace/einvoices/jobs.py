"""Background work with the tax office: what is issued is signed and sent, again until it is answered."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sqlalchemy.exc import DBAPIError

from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.einvoices.gateway import open_gateway
from marketplace.einvoices.identity import seller_identity
from marketplace.einvoices.sending import hold_up, send_due, sign_new
from marketplace.errors import Unavailable

logger = logging.getLogger(__name__)


async def sweep_einvoices(database: Database, keys: Keys, config: Config) -> int:
    """Sign what is new, send what is due. How many the tax office answered. Raises OSError, ValueError.

    A key that cannot be used keeps nothing that was signed before from being sent."""
    try:
        identity = await asyncio.to_thread(seller_identity, config, keys)
        await sign_new(
            database, identity, seller_address=config.seller_address, at=utcnow(),
            retry_after_s=config.einvoice_retry_after_s,
        )  # fmt: skip
    except (ValueError, OSError) as wrong:
        logger.error("the seller's key cannot be used, new invoices wait for it: %s", wrong)
        await hold_up(database, state="unsigned", trouble="seller_key", fault=str(wrong))
    try:
        gateway = open_gateway(config)
    except OSError as wrong:
        await hold_up(database, state="waiting", trouble="not_configured", fault=str(wrong))
        raise
    if gateway is None:
        await hold_up(database, state="waiting", trouble="not_configured")
        return 0
    return await send_due(database, gateway, at=utcnow(), retry_after_s=config.einvoice_retry_after_s)


async def run_einvoices(database: Database, keys: Keys, config: Config, stop: asyncio.Event) -> None:
    """Sweep now and every `sweep_interval_s` until `stop`; waits out a database or a disk that is away."""
    while not stop.is_set():
        try:
            await sweep_einvoices(database, keys, config)
        except (Unavailable, DBAPIError, OSError, ValueError) as away:
            logger.warning("the sweep of e-invoices waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), config.sweep_interval_s)
