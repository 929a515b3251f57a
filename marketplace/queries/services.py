"""The long-lived parts that a query passes through, wired once at start."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from catalog.storage import Store
from marketplace.accounts.allowance import Allowance
from marketplace.accounts.seats import Seats
from marketplace.audit.looking import LogLook
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.payments.provider import Payments
from marketplace.queries.keeping import Answers
from marketplace.queries.runner import Runner
from marketplace.queries.sizes import Sizes
from marketplace.queries.turns import Turns
from marketplace.queries.understanding import Understanding
from policies.clock import Clock
from policies.engine import Engine
from sandbox.isolation.pool import Pool


@dataclass(frozen=True)
class Services:
    config: Config
    database: Database
    store: Store
    engine: Engine
    clock: Clock
    pool: Pool
    keys: Keys
    answers: Answers
    turns: Turns
    runner: Runner
    readers: Seats
    """Open streams of events."""
    fetches: Seats
    """Answers on their way out."""
    table_uploads: Seats
    """Own tables on their way in."""
    exports: Seats
    """Exports of the log on their way out."""
    allowance: Allowance
    """What whoever asks may have without paying."""
    understanding: Understanding
    payments: Payments
    sizes: Sizes = field(default_factory=Sizes)
    log_look: LogLook = field(default_factory=LogLook)
    running: set[asyncio.Task[Any]] = field(default_factory=set)
    """A task a query, under `task_name`."""


def task_name(query_id: UUID) -> str:
    """Of the task in `running` that brings this query to its end."""
    return f"query {query_id}"
