"""What is free to ask has a fair share for each organisation: at once, and of the one reader of long questions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest

from marketplace.accounts.seats import Seats
from marketplace.queries import walk
from marketplace.queries.dry_run import dry_run
from marketplace.queries.errors import TooManyFree, TooManyLong
from marketplace.queries.explain import explain
from marketplace.queries.long_ones import LongOnes

FLOODER, HONEST = uuid4(), uuid4()
MOST = 8


class Reader:
    """One reads at a time, until it is told to go on; who was read, in that order."""

    def __init__(self) -> None:
        self.turns = LongOnes(Seats(MOST, TooManyLong))
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


async def test_a_flooder_is_refused_and_the_other_tenant_is_next() -> None:
    reader = Reader()
    flood = [asyncio.create_task(reader.ask(FLOODER)) for _ in range(MOST)]
    await settled()
    with pytest.raises(TooManyLong) as refused:
        await reader.ask(FLOODER)
    assert (refused.value.params["most"], refused.value.headers["Retry-After"].isdigit()) == (MOST, True)
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
async def test_what_is_free_has_so_many_at_once_of_each_tenant(verb: Callable[..., Awaitable[Any]]) -> None:
    services = SimpleNamespace(free_ones=Seats(1, TooManyFree))
    ask = SimpleNamespace(agreement_ids=(), purpose="research.academic")
    with services.free_ones.take(FLOODER):
        with pytest.raises(TooManyFree) as refused:
            await verb(services, SimpleNamespace(organisation_id=FLOODER), ask)
        assert (refused.value.status, refused.value.headers["Retry-After"].isdigit()) == (429, True)
        with pytest.raises(AttributeError):  # it goes on, and there is no database here
            await verb(services, SimpleNamespace(organisation_id=HONEST, person_id=HONEST), ask)
    assert not services.free_ones.taken
