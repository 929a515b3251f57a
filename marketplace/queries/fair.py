"""Whose query goes next: fair queueing by time in the jail, over tenants, then over a tenant's agreements.

What counts is what was used, measured, not what was predicted: whoever has had less of the jails goes first, and
a query that runs counts from its first microsecond (start-time fair queueing, Goyal, Vin, Cheng 1996, the cost
known afterwards). Within an agreement cheap queries go first; one that is passed over counts half as much each
time, so that none waits for ever. Nothing here waits, and time is told: the same calls give the same order.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from msgspec import Struct

LEAST_US = 1_000
"""What any turn counts: an empty query costs a jail's child too."""


class Room(Struct, frozen=True, kw_only=True):
    """How much there is. `waiting`: of one tenant alone; several share it, and each may always have one."""

    running: int
    waiting: int
    tenant_running: int
    tenant_memory_bytes: int
    alone_after_us: int
    """Only a tenant beside whom nobody has asked for so long may hold every jail."""


class Turn:
    """A query in the queue, later in a jail. `started_us` None: it waits."""

    def __init__(self, tenant: UUID, agreement: UUID, cost_bytes: int, memory_bytes: int, number: int) -> None:
        self.tenant, self.agreement = tenant, agreement
        self.cost_bytes, self.memory_bytes = cost_bytes, memory_bytes
        self.number = number
        self.passed = 0
        self.started_us: int | None = None

    @property
    def rank(self) -> tuple[int, int]:
        """Lowest first within an agreement."""
        return self.cost_bytes >> self.passed, self.number


class _Share:
    """What a tenant, or an agreement of it, waits for, runs and has used."""

    def __init__(self) -> None:
        self.waiting: list[Turn] = []
        self.running: list[Turn] = []
        self.used_us = 0

    @property
    def active(self) -> bool:
        return bool(self.waiting or self.running)

    def spent_us(self, now_us: int) -> int:
        return self.used_us + sum(now_us - (turn.started_us or now_us) for turn in self.running)

    def due(self, now_us: int) -> tuple[int, int, int]:
        """Lowest first."""
        return self.spent_us(now_us), len(self.running), min(turn.number for turn in self.waiting)


class FairQueue:
    """`join`, then `next` until it gives nothing, `done` for what it gave; or `leave` for what still waits."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._tenants: dict[UUID, _Share] = {}
        self._agreements: dict[UUID, dict[UUID, _Share]] = {}
        self._asked_us: dict[UUID, int] = {}
        self._running = 0
        self._numbers = 0

    def full_for(self, tenant: UUID) -> bool:
        """Whether one more query of this tenant would be turned away: each has its part of the queue."""
        mine = self._tenants.get(tenant)
        others = sum(bool(share.waiting) for each, share in self._tenants.items() if each != tenant)
        return mine is not None and len(mine.waiting) >= max(1, self._room.waiting // (others + 1))

    def join(self, *, tenant: UUID, agreement: UUID, cost_bytes: int, memory_bytes: int, now_us: int) -> Turn:
        """Stand in the queue, which is not full for this tenant. `cost_bytes`: what the plan says will be read."""
        turn = Turn(tenant, agreement, cost_bytes, memory_bytes, self._numbers)
        self._numbers += 1
        self._asked_us[tenant] = now_us
        agreements = self._agreements.setdefault(tenant, {})
        for shares, key in ((self._tenants, tenant), (agreements, agreement)):
            share = shares.setdefault(key, _Share())
            if not share.active:
                # Nobody saves up turns by staying away; a debt stays.
                share.used_us = max(share.used_us, _floor(shares.values(), now_us))
            share.waiting.append(turn)
        return turn

    def next(self, now_us: int) -> Turn | None:
        """The turn that starts now; None: nobody waits, or nobody who waits may start."""
        if self._running >= self._room.running:
            return None
        self._forget_asked(now_us)
        may = {tenant: share for tenant, share in self._tenants.items() if self._may_start(tenant, share)}
        if not may:
            return None
        tenant = min(may, key=lambda each: may[each].due(now_us))
        agreements = {key: share for key, share in self._agreements[tenant].items() if share.waiting}
        agreement = min(agreements, key=lambda each: agreements[each].due(now_us))
        turn = min(agreements[agreement].waiting, key=lambda each: each.rank)
        for share in (may[tenant], agreements[agreement]):
            share.waiting.remove(turn)
            share.running.append(turn)
        for other in agreements[agreement].waiting:
            other.passed += other.number < turn.number
        turn.started_us = now_us
        self._running += 1
        return turn

    def done(self, turn: Turn, now_us: int) -> None:
        """It no longer runs, and has used what it has used."""
        assert turn.started_us is not None
        for share in self._shares(turn):
            share.running.remove(turn)
            share.used_us += max(LEAST_US, now_us - turn.started_us)
        self._running -= 1
        self._forget_idle(now_us)

    def leave(self, turn: Turn, now_us: int) -> None:
        """It waits no longer."""
        for share in self._shares(turn):
            share.waiting.remove(turn)
        self._forget_idle(now_us)

    def place(self, turn: Turn) -> int:
        """About how many of this tenant's own queries go before it, and one; of others nothing is told."""
        return 1 + sum(other.rank < turn.rank for other in self._tenants[turn.tenant].waiting)

    def _may_start(self, tenant: UUID, share: _Share) -> bool:
        if not share.waiting:
            return False
        alone = len(self._asked_us.keys() - {tenant}) == 0
        most = self._room.tenant_running if alone else min(self._room.tenant_running, self._room.running - 1)
        memory = sum(turn.memory_bytes for turn in share.running) + max(t.memory_bytes for t in share.waiting)
        # What is too large for a tenant alone runs alone: a limit must not make a query wait for ever.
        return not share.running or (
            len(share.running) < max(1, most) and memory <= self._room.tenant_memory_bytes
        )

    def _shares(self, turn: Turn) -> tuple[_Share, _Share]:
        return self._tenants[turn.tenant], self._agreements[turn.tenant][turn.agreement]

    def _forget_asked(self, now_us: int) -> None:
        """A tenant counts as somebody beside others while it waits or runs, and for a while after it asked."""
        for tenant, asked_us in list(self._asked_us.items()):
            share = self._tenants.get(tenant)
            if now_us - asked_us > self._room.alone_after_us and not (share and share.active):
                del self._asked_us[tenant]

    def _forget_idle(self, now_us: int) -> None:
        """Whoever is gone is forgotten when nobody is owed anything."""
        if not any(share.active for share in self._tenants.values()):
            self._tenants.clear()
            self._agreements.clear()
            return
        floor = _floor(self._tenants.values(), now_us)
        for tenant, share in list(self._tenants.items()):
            if not share.active and share.used_us <= floor:
                del self._tenants[tenant]
                del self._agreements[tenant]


def _floor(shares: Iterable[_Share], now_us: int) -> int:
    """The least that anybody has used who is here."""
    return min((share.spent_us(now_us) for share in shares if share.active), default=0)
