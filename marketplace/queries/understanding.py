"""What reading a question costs while nobody pays for it yet: bounded for each organisation, and taken in turns.

To understand, price and decide a question is work of the event loop that all share. A long one is understood in a
thread, one at a time; whoever waits for that holds up nobody's short ones. The thread shares a processor with the
loop, so where short ones wait it rests as long as it worked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from marketplace.accounts.seats import Seats
from marketplace.queries.rounds import Rounds, SeatedRounds

AT_ONCE_CHARACTERS: Final = 2_000
"""Longer questions, which may take a quarter of a second and cost nothing to ask, leave the event loop."""
REST_MOST_S: Final = 1.0


class Understanding:
    """`free`, `long`: seats of an organisation for free, for long questions; `at_once`: short free ones of all."""

    def __init__(self, *, free: Seats, long: Seats, at_once: int) -> None:
        self.free = free
        self._long = SeatedRounds(long, 1)
        self._short = Rounds(at_once)

    @asynccontextmanager
    async def for_nothing(self, organisation_id: UUID, sql: str) -> AsyncIterator[None]:
        """A question that costs nothing, until it is answered. Raises TooManyFree."""
        with self.free.take(organisation_id):
            if len(sql) > AT_ONCE_CHARACTERS:
                yield
                return
            async with self._short.turn(organisation_id):
                yield

    @asynccontextmanager
    async def reading_long(self, organisation_id: UUID) -> AsyncIterator[None]:
        """The only one that reads a long question. Raises TooManyLong."""
        async with self._long.turn(organisation_id):
            began = time.monotonic()
            try:
                yield
            finally:
                if self._short.crowded:
                    await asyncio.sleep(min(time.monotonic() - began, REST_MOST_S))
