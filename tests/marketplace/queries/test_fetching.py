"""What a fetch holds while its answer is made: no connection of the database, one seat of its organisation's."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from litestar import Response
from sqlalchemy import text

from marketplace.accounts.seats import Seats
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database, database_url
from marketplace.errors import NotFound
from marketplace.queries import forms
from marketplace.queries.errors import RangeNotSatisfiable, TooManyFetches, TooManyReaders
from marketplace.queries.keeping import Answer
from marketplace.queries.progress import events
from marketplace.queries.release import released
from marketplace.queries.services import Services
from tests.marketplace.queries.test_results import Answered, Nobody, answered_in

CSV = "text/csv"


class Slow:
    """A form that begins to be made, and goes on when it is told to."""

    def __init__(self) -> None:
        self.began, self.go_on, self.made = threading.Event(), threading.Event(), 0

    def pieces(self, answer: Answer) -> Iterator[bytes]:
        self.made += 1
        self.began.set()
        assert self.go_on.wait(60)
        yield b"0123456789"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    slow = Slow()
    monkeypatch.setitem(forms.FORMS, CSV, forms.Form(CSV, slow.pieces))
    yield slow
    slow.go_on.set()


@pytest.fixture
async def answered(database: Database, tmp_path: Path) -> Answered:
    async with database.session() as session:
        return await answered_in(session, database, tmp_path)


@pytest.fixture
async def services(database: Database, config: Config, answered: Answered) -> AsyncIterator[Services]:
    """With one connection and one seat of each kind."""
    narrow, none = Database(database_url(config), connections=1), cast(Any, None)
    yield Services(
        config=config, database=narrow, store=cast(Any, Nobody()), engine=none, clock=none, pool=none, keys=none,
        answers=answered.answers, turns=none, runner=none, readers=Seats(1, TooManyReaders),
        fetches=Seats(1, TooManyFetches), table_uploads=none, exports=none, payments=none, allowance=none,
        understanding=none,
    )  # fmt: skip
    await narrow.close()


async def _fetch(
    services: Services, answered: Answered, query_id: UUID | None = None, asked: str = "0-3"
) -> Response[Any]:
    return await released(
        services, caller=answered.caller, query_id=query_id or answered.query_id, media_type=CSV,
        asked={"range": f"bytes={asked}"}, headers={},
    )  # fmt: skip


async def test_the_connection_is_free_while_the_form_is_made_and_the_seat_is_not(
    services: Services, answered: Answered, slow: Slow
) -> None:
    fetching = asyncio.create_task(_fetch(services, answered))
    assert await asyncio.to_thread(slow.began.wait, 60)
    async with services.database.session() as session:
        assert (await session.execute(text("select 1"))).scalar_one() == 1
    with pytest.raises(TooManyFetches) as refused:
        await _fetch(services, answered)
    assert refused.value.headers["Retry-After"]
    slow.go_on.set()
    assert (await fetching).content == b"0123"
    assert not services.fetches.taken


async def test_a_form_is_measured_once(services: Services, answered: Answered, slow: Slow) -> None:
    slow.go_on.set()
    got = [(await _fetch(services, answered, asked=f"{start}-{start + 4}")).content for start in (0, 5)]
    assert got == [b"01234", b"56789"]
    assert slow.made == 3, "once to be measured, once for each part"


async def test_a_fetch_that_fails_leaves_its_seat(services: Services, answered: Answered, slow: Slow) -> None:
    slow.go_on.set()
    with pytest.raises(RangeNotSatisfiable):
        await _fetch(services, answered, asked="10-")
    with pytest.raises(NotFound):
        await _fetch(services, answered, new_id())
    assert not services.fetches.taken


async def test_a_burst_of_readers_does_not_pass_the_bound_and_one_who_never_reads_holds_no_seat(
    services: Services, answered: Answered
) -> None:
    """Each is counted before its query is looked up, and its stream need not begin."""

    async def ask() -> object:
        return await events(services, caller=answered.caller, query_id=answered.query_id)

    told = await asyncio.gather(*(ask() for _ in range(3)), return_exceptions=True)
    assert [isinstance(each, TooManyReaders) for each in told] == [False, True, True]
    with pytest.raises(TooManyReaders):
        await ask()
    told.clear()
    await asyncio.sleep(0)  # the tasks of the burst go
    stream = cast(AsyncIterator[bytes], await ask())
    assert [event.split(b"\n")[0] async for event in stream] == [b"event: settled"]
    assert not services.readers.taken
