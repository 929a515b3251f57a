"""Bands, months, limits, and a number of statements that does not grow with the datasets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text

from catalog.storage import Store
from marketplace.config import Config
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Problem
from marketplace.identity.session import new_session
from marketplace.identity.store import admit_session, admit_sign_in, end_session
from marketplace.subjects.reads import find, my_datasets
from marketplace.subjects.use import band, full_steps, in_bands, months_until
from tests.marketplace.listed import list_dataset
from tests.marketplace.parties import Make

ORDER = ("0", "1-9", "10-99", "100+")


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_bands_grow_with_the_count_and_tell_no_more(one: int, other: int) -> None:
    low, high = sorted((one, other))
    assert ORDER.index(band(low)) <= ORDER.index(band(high))
    assert [band(count) for count in (0, 1, 9, 10, 99, 100)] == ["0", "1-9", "1-9", "10-99", "10-99", "100+"]


@given(st.datetimes(datetime(2001, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_the_last_twelve_months_end_with_this_one_and_the_oldest_begins_at_its_midnight(now: datetime) -> None:
    months, since = months_until(now)
    assert len(set(months)) == 12
    assert months == sorted(months, reverse=True)
    assert months_until(since)[0][0] == months[-1]
    assert months_until(datetime.fromtimestamp(since.timestamp() - 1, UTC))[0][0] < months[-1]


@given(st.datetimes(datetime(2001, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)), st.integers(1, 100_000))
def test_use_is_told_up_to_a_whole_step(now: datetime, step_s: int) -> None:
    until = full_steps(now, step_s)
    assert until <= now
    assert (now - until).total_seconds() < step_s
    assert until.timestamp() % step_s == 0


def test_months_without_use_are_told_too() -> None:
    use = in_bands({("2026-11", "startup"): 12}, ["2026-11", "2026-10"])
    assert [(each.month, each.queries) for each in use] == [("2026-11", "10-99"), ("2026-10", "0")]


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", note)
    yield seen
    event.remove(database.engine.sync_engine, "before_cursor_execute", note)


async def test_more_datasets_need_no_more_statements(
    database: Database, config: Config, make: Make, tmp_path: Path
) -> None:
    sent, store = [], Store(tmp_path / "store")
    for _ in range(2):
        async with database.session() as session:
            owner = await make.organisation(session, kind="owner")
            person = await make.person(session, owner)
            for _ in range(5):
                dataset = await list_dataset(session, owner, person)
                dataset.manifest = {"privacy_unit": "column", "purposes": ["public.service"]}
        with statements(database) as seen:
            async with database.session() as session:
                found = await find(session, subject="nobody", store=store, keys=Keys(tmp_path / "keys"))
                assert len(found.mine) >= 5
                assert (await my_datasets(session, found, store=store, config=config)).items == ()
        sent.append(len(seen))
    assert sent[0] == sent[1]


async def code_of(database: Database, config: Config, keys: Keys, address: str) -> str:
    with pytest.raises(Problem) as told:
        await admit_sign_in(database, config, keys, address=address)
    assert told.value.headers["Retry-After"] != "0"
    return told.value.code


async def test_sign_ins_of_an_address_and_requests_of_a_session_are_limited(
    database: Database, config: Config, tmp_path: Path
) -> None:
    keys = Keys(tmp_path / "keys")
    strict = msgspec.structs.replace(config, subject_sign_ins_per_window=2, subject_requests_per_window=2)
    session, other = new_session("a", lifetime_s=60), new_session("a", lifetime_s=60)
    for _ in range(2):
        await admit_sign_in(database, strict, keys, address="192.0.2.1")
        await admit_session(database, strict, keys, session)
    assert await code_of(database, strict, keys, "192.0.2.1") == "subject.too_many_requests"
    with pytest.raises(Problem) as told:
        await admit_session(database, strict, keys, session)
    assert told.value.code == "subject.too_many_requests"
    await admit_sign_in(database, strict, keys, address="192.0.2.2")
    await admit_session(database, strict, keys, other)


async def test_a_window_that_is_over_counts_no_more_and_is_forgotten(
    database: Database, config: Config, tmp_path: Path
) -> None:
    keys = Keys(tmp_path / "keys")
    strict = msgspec.structs.replace(config, subject_sign_ins_per_window=1, subject_window_s=0)
    for _ in range(3):
        await admit_sign_in(database, strict, keys, address="192.0.2.3")
    async with database.session() as session:
        left = await session.scalar(text("SELECT count(*) FROM subject_request_count"))
    assert left == 0


async def test_an_ended_session_stays_ended_until_no_cookie_of_it_can_live(
    database: Database, config: Config, tmp_path: Path
) -> None:
    keys = Keys(tmp_path / "keys")
    live = new_session("a", lifetime_s=config.subject_session_lifetime_s)
    token = msgspec.structs.replace(live, expires_at_ms=0)
    async with database.session() as session:
        assert await end_session(session, config, token)
        assert not await end_session(session, config, live)
    await admit_sign_in(database, config, keys, address="192.0.2.4")
    with pytest.raises(Problem) as told:
        await admit_session(database, config, keys, live)
    assert told.value.code == "subject.session_ended"
    async with database.session() as session:
        ends = await session.scalar(
            text("SELECT expires_at FROM ended_subject_session WHERE id = :id"), {"id": live.digest}
        )
    assert ends is not None
    assert (ends - utcnow()).total_seconds() > config.subject_session_lifetime_s - 60
