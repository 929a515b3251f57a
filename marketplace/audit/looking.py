"""Whether the log can go on, for who asks every second: one look at a time, and nobody waits long for it."""

from __future__ import annotations

import asyncio

from marketplace.audit.log_store import published_log
from marketplace.audit.publishing import rolled_back
from marketplace.audit.remembered import remembered_heads
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.errors import Problem
from marketplace.verifier.note import VerifierKey

PATIENCE_S = 1.0
"""A store that takes longer is away to whoever asks; balancers give up on an answer after a few seconds."""


class LogLook:
    """Asked again while a look is under way, it is that look which is waited for."""

    def __init__(self) -> None:
        self._task: asyncio.Task[bool | None] | None = None

    async def holds(self, database: Database, config: Config, key: VerifierKey) -> bool | None:
        """Whether the database holds what was published; None: where it is published does not answer."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(_look(database, config, key))
        done, _ = await asyncio.wait({self._task}, timeout=PATIENCE_S)
        return self._task.result() if done else None


async def _look(database: Database, config: Config, key: VerifierKey) -> bool | None:
    try:
        remembered = await asyncio.to_thread(remembered_heads, config, key)
        return not await rolled_back(database, published_log(config), key, remembered)
    except (Problem, OSError):
        return None
