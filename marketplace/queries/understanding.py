"""What reading a question costs while nobody pays for it yet: of the asker's allowance, and taken in turns.

To understand, price and decide a question is work of the event loop that all share. A long one (more than
QUESTION_CHARACTERS, which may take a quarter of a second) is understood in a thread, one at a time; whoever waits
for that holds up nobody's short ones. The thread shares a processor with the loop, so where short ones wait it
rests as long as it worked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from uuid import UUID

from marketplace.accounts.allowance import QUESTION_CHARACTERS, Allowance, question_points
from marketplace.queries.rounds import Rounds

REST_MOST_S: Final = 1.0


class Understanding:
    """`at_once`: short free questions of all."""

    def __init__(self, allowance: Allowance, *, at_once: int) -> None:
        self._allowance = allowance
        self._long, self._short = Rounds(1), Rounds(at_once)

    @asynccontextmanager
    async def for_nothing(self, organisation_id: UUID, sql: str) -> AsyncIterator[None]:
        """A question that costs nothing, until it is answered. Raises AllowanceSpent."""
        self._allowance.take(organisation_id, question_points(sql))
        if len(sql) > QUESTION_CHARACTERS:
            yield
            return
        async with self._short.turn(organisation_id):
            yield

    @asynccontextmanager
    async def reading_long(self, organisation_id: UUID) -> AsyncIterator[None]:
        """The only one that reads a long question."""
        async with self._long.turn(organisation_id):
            began = time.monotonic()
            try:
                yield
            finally:
                if self._short.crowded:
                    await asyncio.sleep(min(time.monotonic() - began, REST_MOST_S))
