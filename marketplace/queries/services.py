"""The long-lived parts that a query passes through, wired once at start."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from catalog.storage import Store
from policies.engine import Engine
from sandbox.isolation.pool import Pool

from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys


@dataclass(frozen=True)
class Services:
    config: Config
    database: Database
    store: Store
    engine: Engine
    pool: Pool
    keys: Keys
    runner: int
    """Number of this process's advisory lock; queries that it runs carry it."""
    running: set[asyncio.Task[None]] = field(default_factory=set)
