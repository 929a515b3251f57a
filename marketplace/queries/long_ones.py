"""Long questions, which are understood one at a time beside all else: whose turn it is goes round the tenants."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

from marketplace.accounts.seats import Seats


class LongOnes:
    """A tenant has as many waiting as it has seats, and each other tenant goes before its next one."""

    def __init__(self, seats: Seats) -> None:
        self._seats, self._busy = seats, False
        self._waiting: dict[UUID, deque[asyncio.Future[None]]] = {}
        """By tenant, the one whose turn is next first."""

    @asynccontextmanager
    async def turn(self, organisation_id: UUID) -> AsyncIterator[None]:
        """Raises the seats' refusal, at once."""
        with self._seats.take(organisation_id):
            if self._busy:
                await self._called(organisation_id)
            self._busy = True
            try:
                yield
            finally:
                self._call_next()

    async def _called(self, organisation_id: UUID) -> None:
        call = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(organisation_id, deque()).append(call)
        try:
            await call
        except asyncio.CancelledError:
            if call.done() and not call.cancelled():
                self._call_next()  # the turn had come, and nobody takes it
            raise

    def _call_next(self) -> None:
        while self._waiting:
            organisation_id = next(iter(self._waiting))
            line = self._waiting.pop(organisation_id)
            call = line.popleft()
            if line:
                self._waiting[organisation_id] = line  # behind all others
            if not call.done():
                call.set_result(None)
                return
        self._busy = False
