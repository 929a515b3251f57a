"""Whose turn is next: the organisations' one after the other, so that one that asks without end is one of many."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID


class Rounds:
    """At most `at_once` go on; one organisation has all but one of these, so that another one need not wait."""

    def __init__(self, at_once: int) -> None:
        self._at_once, self._each = at_once, max(1, at_once - 1)
        self._running: Counter[UUID] = Counter()
        self._waiting: dict[UUID, deque[asyncio.Future[None]]] = {}
        """By organisation, the one whose turn is next first."""

    @asynccontextmanager
    async def turn(self, organisation_id: UUID) -> AsyncIterator[None]:
        """Goes on when its turn has come."""
        if self._waiting.get(organisation_id) or not self._may(organisation_id):
            await self._called(organisation_id)
        else:
            self._running[organisation_id] += 1
        try:
            yield
        finally:
            self._done(organisation_id)

    @property
    def crowded(self) -> bool:
        """Whether somebody waits."""
        return bool(self._waiting)

    def _may(self, organisation_id: UUID) -> bool:
        return self._running.total() < self._at_once and self._running[organisation_id] < self._each

    async def _called(self, organisation_id: UUID) -> None:
        call = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(organisation_id, deque()).append(call)
        try:
            await call
        except asyncio.CancelledError:
            if call.done() and not call.cancelled():
                self._done(organisation_id)  # the turn had come, and nobody takes it
            raise

    def _done(self, organisation_id: UUID) -> None:
        self._running[organisation_id] -= 1
        if not self._running[organisation_id]:
            del self._running[organisation_id]
        while (following := next((each for each in self._waiting if self._may(each)), None)) is not None:
            self._call(following)

    def _call(self, organisation_id: UUID) -> None:
        line = self._waiting.pop(organisation_id)
        call = line.popleft()
        if line:
            self._waiting[organisation_id] = line  # behind all others
        if not call.done():
            self._running[organisation_id] += 1
            call.set_result(None)
