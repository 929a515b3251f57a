"""The queue in front of the jails, as the walk sees it: a place that is given its turn, and can be stopped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

from marketplace.config import Config
from marketplace.queries.errors import QueueFull
from marketplace.queries.fair import FairQueue, Room, Turn
from sandbox.job import SandboxFailed

RETRY_AFTER_S = 2
"""What a caller is told when its part of the queue is full: about what two jails take for so many small ones."""


class Stopped(Exception):
    """Its owner cancelled the query before it was in a jail."""


def room_of(config: Config) -> Room:
    """As many at once as there are jails."""
    return Room(
        running=config.sandbox_jails,
        waiting=config.sandbox_queue_queries,
        tenant_running=config.tenant_running_queries,
        tenant_memory_bytes=config.tenant_memory_bytes,
        alone_after_us=config.tenant_alone_after_s * 1_000_000,
    )


class Turns:
    """Gives places, and places their turn. Of the queries that this process runs."""

    def __init__(self, room: Room, *, wait_max_s: float) -> None:
        self._fair = FairQueue(room)
        self._wait_max_s = wait_max_s
        self._places: dict[UUID, Place] = {}
        self._by_turn: dict[Turn, Place] = {}

    def require_room(self, tenant: UUID) -> None:
        """Raises QueueFull with Retry-After."""
        if self._fair.full_for(tenant):
            raise QueueFull(headers={"Retry-After": str(RETRY_AFTER_S)}, retry_after_s=RETRY_AFTER_S)

    def join(self, query_id: UUID, *, tenant: UUID, agreement: UUID, cost_bytes: int, memory_bytes: int) -> Place:
        """A place, its turn perhaps come already. Raises QueueFull; `leave` it, whatever happens."""
        self.require_room(tenant)
        turn = self._fair.join(
            tenant=tenant, agreement=agreement, cost_bytes=cost_bytes, memory_bytes=memory_bytes, now_us=_now_us()
        )
        place = Place(query_id, turn, self)
        self._places[query_id] = self._by_turn[turn] = place
        self.go_on()
        return place

    def place_of(self, query_id: UUID) -> Place | None:
        """The place of a query that this process runs."""
        return self._places.get(query_id)

    def waiting_before(self, place: Place) -> int:
        """The number of a place that waits among those of its own tenant, from 1."""
        return self._fair.place(place.turn)

    @property
    def wait_max_s(self) -> float:
        return self._wait_max_s

    def go_on(self) -> None:
        """Give turns as long as there are jails for them."""
        while (turn := self._fair.next(_now_us())) is not None:
            self._by_turn[turn].begin()

    def left(self, place: Place) -> None:
        """A place that nobody needs any more."""
        del self._places[place.query_id], self._by_turn[place.turn]
        if place.turn.started_us is None:
            self._fair.leave(place.turn, _now_us())
        else:
            self._fair.done(place.turn, _now_us())
        self.go_on()


class Place:
    """One query's, from joining to leaving."""

    def __init__(self, query_id: UUID, turn: Turn, turns: Turns) -> None:
        self.query_id, self.turn = query_id, turn
        self.stopped = False
        self.changed = asyncio.Event()
        """Set when its turn comes, and when it leaves."""
        self._turns = turns
        self._left = False
        self._kill: Callable[[], None] | None = None

    @property
    def waits(self) -> bool:
        return self.turn.started_us is None

    @property
    def number(self) -> int | None:
        """Among the waiting queries of its own tenant, from 1; None once it runs."""
        return self._turns.waiting_before(self) if self.waits and not self._left else None

    @property
    def entered(self) -> bool:
        """Whether it was in a jail."""
        return self._kill is not None

    async def come(self) -> None:
        """Wait for the turn. Raises Stopped, SandboxFailed (waited too long: nothing went in)."""
        if self.waits and not self.stopped:
            try:
                async with asyncio.timeout(self._turns.wait_max_s):
                    await self.changed.wait()
            except TimeoutError:
                raise SandboxFailed("sandbox.unavailable", entered=False) from None
        self.require_wanted()

    def begin(self) -> None:
        """Its turn has come."""
        self.changed.set()

    def inside(self, kill: Callable[[], None]) -> None:
        """A jail is free and it goes in now; `kill` ends it there. Raises Stopped: it does not."""
        self.require_wanted()
        self._kill = kill

    def require_wanted(self) -> None:
        """Raises Stopped."""
        if self.stopped:
            raise Stopped

    def stop(self) -> None:
        """End it, wherever it is; what it was worth is decided when it settles."""
        self.stopped = True
        self.changed.set()
        if self._kill is not None:
            self._kill()

    def leave(self) -> None:
        """Let the next one go; more than once does no harm."""
        if not self._left:
            self._left = True
            self.changed.set()
            self._turns.left(self)


def _now_us() -> int:
    return time.monotonic_ns() // 1_000
