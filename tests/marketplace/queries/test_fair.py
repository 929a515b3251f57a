"""The queue's order, in simulated time: shares, limits, cheap ones first, and nobody waits for ever."""

from __future__ import annotations

import heapq
import uuid
from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.queries.fair import FairQueue, Room, Turn

SECOND_US = 1_000_000
GIB = 1024**3


def room(**more: int) -> Room:
    usual = {"running": 2, "waiting": 64, "tenant_running": 16, "tenant_memory_bytes": 99 * GIB}
    return Room(**usual | {"alone_after_us": 60 * SECOND_US} | more)


class Client:
    """Asks under one agreement, again as soon as fewer than `at_once` of its own wait or run."""

    def __init__(self, takes_us: int, at_once: int, tenant: uuid.UUID | None = None) -> None:
        self.tenant, self.agreement = tenant or uuid.uuid4(), uuid.uuid4()
        self.takes_us, self.at_once = takes_us, at_once
        self.open = 0


def simulate(queue: FairQueue, clients: list[Client], until_us: int) -> Counter[uuid.UUID]:
    """Microseconds of jail that each tenant, and each agreement, has had by then."""
    used: Counter[uuid.UUID] = Counter()
    running: list[tuple[int, int, Turn, Client]] = []
    of: dict[Turn, Client] = {}
    now = 0
    while now < until_us:
        for client in clients:
            while client.open < client.at_once and not queue.full_for(client.tenant):
                whose = {"tenant": client.tenant, "agreement": client.agreement}
                of[queue.join(**whose, cost_bytes=1000, memory_bytes=GIB, now_us=now)] = client
                client.open += 1
        while (turn := queue.next(now)) is not None:
            client = of.pop(turn)
            heapq.heappush(running, (now + client.takes_us, turn.number, turn, client))
        now, _, turn, client = heapq.heappop(running)
        assert turn.started_us is not None
        used[turn.tenant] += now - turn.started_us
        used[turn.agreement] += now - turn.started_us
        client.open -= 1
        queue.done(turn, now)
    return used


@pytest.mark.parametrize("flood_us", [50_000, SECOND_US, 30 * SECOND_US])
def test_while_one_of_eight_tenants_floods_each_other_one_gets_at_least_half_its_fair_share(flood_us: int) -> None:
    """Short queries, one after the other, against as many as may wait, up to the longest that may run."""
    flood = Client(flood_us, at_once=1_000)
    others = [Client(200_000, at_once=1) for _ in range(7)]
    used = simulate(FairQueue(room()), [flood, *others], 300 * SECOND_US)
    fair_us = 2 * 300 * SECOND_US / 8
    assert all(used[client.tenant] >= fair_us / 2 for client in others)
    assert used[flood.tenant] > 0


def test_tenants_who_ask_without_end_get_the_same_though_their_queries_differ() -> None:
    clients = [Client(takes_us, at_once=20) for takes_us in (20_000, 50_000, 200_000, 900_000)]
    used = simulate(FairQueue(room()), clients, 60 * SECOND_US)
    shares = [used[client.tenant] for client in clients]
    assert max(shares) < 1.1 * min(shares)


def test_a_tenants_agreements_share_what_it_gets() -> None:
    """Under one of them thirty wait, under the other two: each gets its half all the same."""
    many = Client(100_000, at_once=30)
    few = Client(10_000, at_once=2, tenant=many.tenant)
    used = simulate(FairQueue(room(running=1)), [many, few], 20 * SECOND_US)
    assert used[few.agreement] > 0.45 * used[many.tenant]


def test_alone_a_tenant_uses_every_jail_and_beside_others_it_leaves_one() -> None:
    queue = FairQueue(room())
    one, other = uuid.uuid4(), uuid.uuid4()

    def join(tenant: uuid.UUID, now_us: int) -> Turn:
        return queue.join(tenant=tenant, agreement=tenant, cost_bytes=1, memory_bytes=GIB, now_us=now_us)

    flood = [join(one, 0) for _ in range(5)]
    started = [queue.next(0), queue.next(0)]
    assert started == flood[:2]
    assert queue.next(0) is None
    late = join(other, SECOND_US)
    queue.done(flood[0], SECOND_US)
    assert queue.next(SECOND_US) is late
    queue.done(late, 2 * SECOND_US)
    assert queue.next(2 * SECOND_US) is None, "the last jail is kept for whoever asked lately"
    assert queue.next(62 * SECOND_US) is flood[2]


@pytest.mark.parametrize(("more", "most"), [({"tenant_running": 3}, 3), ({"tenant_memory_bytes": 2 * GIB}, 2)])
def test_a_tenant_has_its_own_bounds(more: dict[str, int], most: int) -> None:
    queue, tenant = FairQueue(room(running=8, **more)), uuid.uuid4()
    for _ in range(8):
        queue.join(tenant=tenant, agreement=tenant, cost_bytes=1, memory_bytes=GIB, now_us=0)
    started = [turn for _ in range(8) if (turn := queue.next(0)) is not None]
    assert len(started) == most


def test_what_is_larger_than_a_tenants_memory_runs_alone_and_does_not_wait_for_ever() -> None:
    queue, tenant = FairQueue(room(tenant_memory_bytes=GIB)), uuid.uuid4()
    turns = [
        queue.join(tenant=tenant, agreement=tenant, cost_bytes=1, memory_bytes=4 * GIB, now_us=0) for _ in range(2)
    ]
    assert [queue.next(0), queue.next(0)] == [turns[0], None]


def test_cheap_queries_go_first_and_a_dear_one_is_passed_over_a_bounded_number_of_times() -> None:
    queue, tenant = FairQueue(room(running=1)), uuid.uuid4()
    join: Callable[[int], Turn] = lambda cost: queue.join(  # noqa: E731
        tenant=tenant, agreement=tenant, cost_bytes=cost, memory_bytes=GIB, now_us=0
    )
    dear, cheap = join(10**12), join(10)
    assert queue.next(0) is cheap
    queue.done(cheap, 1)
    passed = 1
    while True:
        another = join(10)
        turn = queue.next(1)
        assert turn is not None
        queue.done(turn, 1)
        if turn is dear:
            break
        assert turn is another
        passed += 1
    assert 30 < passed <= 41, "its cost is halved each time"


def test_each_tenant_has_its_part_of_the_queue_whoever_floods() -> None:
    queue = FairQueue(room(running=1, waiting=8))
    flood, others = uuid.uuid4(), [uuid.uuid4() for _ in range(20)]

    def fill(tenant: uuid.UUID) -> int:
        count = 0
        while not queue.full_for(tenant):
            queue.join(tenant=tenant, agreement=tenant, cost_bytes=1, memory_bytes=GIB, now_us=0)
            count += 1
        return count

    assert fill(flood) == 8
    admitted = [fill(tenant) for tenant in others]
    assert admitted[0] == 4
    assert min(admitted) >= 1
    assert queue.full_for(flood)


def test_a_place_tells_of_a_tenants_own_queries_only() -> None:
    queue, mine, another = FairQueue(room(running=1)), uuid.uuid4(), uuid.uuid4()
    for _ in range(5):
        queue.join(tenant=another, agreement=another, cost_bytes=1, memory_bytes=GIB, now_us=0)
    turns = [
        queue.join(tenant=mine, agreement=mine, cost_bytes=cost, memory_bytes=GIB, now_us=0) for cost in (9, 5, 7)
    ]
    assert [queue.place(turn) for turn in turns] == [3, 1, 2]
    queue.leave(turns[1], 0)
    assert [queue.place(turn) for turn in (turns[0], turns[2])] == [2, 1]


STEPS = st.lists(
    st.tuples(st.sampled_from(["join", "next", "done", "leave"]), st.integers(0, 4), st.integers(0, 10**9)),
    max_size=60,
)


@settings(deadline=None)
@given(STEPS)
def test_whatever_happens_nothing_is_lost_run_twice_or_run_beyond_the_room(
    steps: list[tuple[str, int, int]],
) -> None:
    queue = FairQueue(room(running=3, tenant_running=2))
    tenants = [uuid.uuid4() for _ in range(5)]
    waiting: set[Turn] = set()
    running: list[Turn] = []
    now = 0
    for verb, which, number in steps:
        now += number % 1_000_000
        if verb == "join" and not queue.full_for(tenants[which]):
            waiting.add(
                queue.join(
                    tenant=tenants[which],
                    agreement=tenants[which - 1],
                    cost_bytes=number,
                    memory_bytes=GIB,
                    now_us=now,
                )
            )
        elif verb == "next" and (turn := queue.next(now)) is not None:
            waiting.remove(turn)
            running.append(turn)
        elif verb == "done" and running:
            queue.done(running.pop(which % len(running)), now)
        elif verb == "leave" and waiting:
            queue.leave(waiting.pop(), now)
        assert len(running) <= 3
        assert max(Counter(turn.tenant for turn in running).values(), default=0) <= 2
    while waiting or running:
        now += 100 * SECOND_US
        while running:
            queue.done(running.pop(), now)
        while (turn := queue.next(now)) is not None:
            waiting.remove(turn)
            running.append(turn)
        assert running or not waiting, "somebody waits and nobody may start"
