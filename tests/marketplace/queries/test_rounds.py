"""What is free to ask has a fair share for each organisation: at once, and of the one reader of long questions."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from marketplace.accounts.allowance import QUESTION, QUESTION_CHARACTERS, Allowance, AllowanceSpent, Rate
from marketplace.queries import walk
from marketplace.queries.dry_run import dry_run
from marketplace.queries.explain import explain
from marketplace.queries.rounds import Rounds
from marketplace.queries.understanding import REST_MOST_S, Understanding

FLOODER, HONEST = uuid4(), uuid4()
MOST = 8


def plenty() -> Allowance:
    rate = Rate(per_minute=1, at_once=10**9)
    return Allowance(rate, rate, most=9)


class Reader:
    """One reads at a time, until it is told to go on; who was read, in that order."""

    def __init__(self) -> None:
        self.turns = Rounds(1)
        self.read: list[UUID] = []
        self.go_on = asyncio.Semaphore(0)

    async def ask(self, organisation_id: UUID) -> None:
        async with self.turns.turn(organisation_id):
            self.read.append(organisation_id)
            await self.go_on.acquire()


async def settled() -> None:
    """Whatever can go on without being told to has gone on."""
    for _ in range(2 * MOST):
        await asyncio.sleep(0)


async def test_beside_a_flooder_the_other_tenant_is_next() -> None:
    reader = Reader()
    flood = [asyncio.create_task(reader.ask(FLOODER)) for _ in range(MOST)]
    await settled()
    honest = [asyncio.create_task(reader.ask(HONEST)) for _ in range(3)]
    await settled()
    for _ in range(MOST + 3):
        reader.go_on.release()
    await asyncio.gather(*flood, *honest)
    assert reader.read[1:7] == [FLOODER, HONEST] * 3
    assert reader.read.count(FLOODER) == MOST


@pytest.mark.parametrize("called", [False, True])
async def test_who_hangs_up_holds_up_nobody(called: bool) -> None:
    """Before its turn, and at the instant at which it has been called."""
    reader = Reader()
    async with reader.turns.turn(FLOODER):
        gone, last = (asyncio.create_task(reader.ask(each)) for each in (HONEST, FLOODER))
        await settled()
        if not called:
            gone.cancel()
            await settled()
    gone.cancel()
    for _ in range(2):
        reader.go_on.release()
    await last
    await reader.ask(HONEST)
    assert reader.read == [FLOODER, HONEST]


@pytest.mark.parametrize("verb", [dry_run, explain, walk.quote])
async def test_what_is_free_comes_out_of_the_allowance_of_each_tenant(
    verb: Callable[..., Awaitable[Any]],
) -> None:
    rate = Rate(per_minute=1, at_once=QUESTION)
    allowance = Allowance(rate, rate, most=9)
    services = SimpleNamespace(understanding=Understanding(allowance, at_once=4))
    ask = SimpleNamespace(agreement_ids=(), purpose="research.academic", sql="select 1")
    allowance.take(FLOODER, QUESTION)
    with pytest.raises(AllowanceSpent) as refused:
        await verb(services, SimpleNamespace(organisation_id=FLOODER), ask)
    assert (refused.value.status, refused.value.headers["Retry-After"].isdigit()) == (429, True)
    with pytest.raises(AttributeError):  # it goes on, and there is no database here
        await verb(services, SimpleNamespace(organisation_id=HONEST, person_id=HONEST), ask)


class Loop:
    """Questions that take as many steps of a loop as they say, `at_once` together; steps by organisation."""

    def __init__(self, at_once: int) -> None:
        self.rounds = Rounds(at_once)
        self.steps: Counter[UUID] = Counter()
        self.together = self.most = 0

    async def ask(self, organisation_id: UUID, steps: int) -> None:
        async with self.rounds.turn(organisation_id):
            self.together += 1
            self.most = max(self.most, self.together)
            for _ in range(steps):
                await asyncio.sleep(0)
            self.together -= 1
        self.steps[organisation_id] += steps

    async def ask_on(self, organisation_id: UUID, steps: int, until: int) -> None:
        """One question after the other, until all together have had so many steps."""
        while self.steps.total() < until:
            await self.ask(organisation_id, steps)


@pytest.mark.parametrize("at_once", [1, 2, 4])
@pytest.mark.parametrize("steps", [1, 10, 20])
async def test_beside_one_of_eight_who_floods_each_other_gets_at_least_half_an_eighth(
    at_once: int, steps: int
) -> None:
    """Each asks one thing after the other; the flooder forty at a time, cheaper ones and dearer ones."""
    loop, others, total = Loop(at_once), [uuid4() for _ in range(7)], 20_000
    flood = [loop.ask_on(FLOODER, steps, total) for _ in range(40)]
    await asyncio.gather(*flood, *(loop.ask_on(each, 10, total) for each in others))
    assert min(loop.steps[each] for each in others) >= loop.steps.total() / 8 / 2
    assert loop.most == at_once


async def test_an_organisation_leaves_one_place_to_others_and_alone_has_all_but_that() -> None:
    rounds, ends = Rounds(3), asyncio.Event()
    gone_on: list[UUID] = []

    async def ask(organisation_id: UUID) -> None:
        async with rounds.turn(organisation_id):
            gone_on.append(organisation_id)
            await ends.wait()

    tasks = [asyncio.create_task(ask(FLOODER)) for _ in range(5)]
    await settled()
    assert gone_on == [FLOODER] * 2
    tasks.append(asyncio.create_task(ask(HONEST)))
    await settled()
    assert gone_on[2:] == [HONEST]
    ends.set()
    await asyncio.gather(*tasks)
    assert len(gone_on) == 6


async def test_a_question_that_waits_for_the_reader_of_long_ones_holds_no_place_of_a_short_one() -> None:
    understanding = Understanding(plenty(), at_once=1)
    gone_on: list[UUID] = []

    async def ask() -> None:
        async with understanding.for_nothing(HONEST, "select 1"):
            gone_on.append(HONEST)

    long = "x" * (QUESTION_CHARACTERS + 1)
    async with understanding.reading_long(FLOODER), understanding.for_nothing(FLOODER, long):
        asking = asyncio.create_task(ask())
        await settled()
        assert gone_on == [HONEST]
    await asking


async def test_who_reads_long_ones_rests_as_long_as_it_worked_where_short_ones_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever came of the question: one that is refused took as long to read."""
    understanding = Understanding(plenty(), at_once=1)
    clock, rested = [10.0], []

    async def sleep(seconds: float) -> None:
        rested.append(seconds)

    async def short() -> None:
        async with understanding.for_nothing(HONEST, "select 1"):
            pass

    async def long(takes_s: float) -> None:
        with contextlib.suppress(ValueError):
            async with understanding.reading_long(FLOODER):
                clock[0] += takes_s
                raise ValueError

    with monkeypatch.context() as faked:
        faked.setattr("marketplace.queries.understanding.time", SimpleNamespace(monotonic=lambda: clock[0]))
        faked.setattr("marketplace.queries.understanding.asyncio", SimpleNamespace(sleep=sleep))
        await long(0.25)
        async with understanding.for_nothing(HONEST, "select 1"):
            waits = asyncio.create_task(short())
            await settled()
            await long(0.25)
            await long(30)
    await waits
    assert rested == [0.25, REST_MOST_S]


@pytest.mark.parametrize("called", [False, True])
async def test_who_hangs_up_in_the_rounds_leaves_its_place_to_the_next(called: bool) -> None:
    rounds = Rounds(1)

    async def ask(organisation_id: UUID) -> None:
        async with rounds.turn(organisation_id):
            pass

    async with rounds.turn(FLOODER):
        gone, last = (asyncio.create_task(ask(each)) for each in (HONEST, FLOODER))
        await settled()
        if not called:
            gone.cancel()
            await settled()
    gone.cancel()
    await last
    await ask(HONEST)
    assert gone.cancelled()
