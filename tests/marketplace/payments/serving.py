"""Our API on a port, for whoever sends webhooks from a process of its own."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.payments import api, cards_api
from marketplace.payments.provider import Payments
from tests.marketplace.api import listening, small_app


def serving(database: Database, config: Config, payments: Payments) -> AbstractAsyncContextManager[str]:
    """Its address, as long as the block lasts."""
    handlers = (*api.handlers, *cards_api.handlers)
    return listening(small_app(handlers, database=database, config=config, payments=payments))
