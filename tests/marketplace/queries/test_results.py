"""Who may fetch a stored answer, and what makes it go."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import msgspec
import pyarrow as pa
import pytest
from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import OrganisationSuspended
from marketplace.agreements.models import Agreement
from marketplace.consents.models import ConsentEvent
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.db.locks import lock_version
from marketplace.errors import NotFound
from marketplace.listings.models import Dataset, ExcludedCohort
from marketplace.queries.errors import AnswerErased, NotNamed, NotReady, ResultGone
from marketplace.queries.keeping import Answers
from marketplace.queries.models import Query, QueryLine, QueryResult
from marketplace.queries.results import StoredResult, result
from tests.marketplace.agreements.conftest import Sides, open_sides
from tests.marketplace.parties import Make

PURPOSE = "research.academic"
BOTH = """
insert into query_line select (jsonb_populate_record(l, jsonb_build_object('query_id', cast(:first as uuid)))).*
from query_line l where l.query_id = :second
"""
WAITS = """
select exists (select from pg_locks l where l.locktype = 'advisory' and not l.granted
    and ((l.classid::bigint << 32) | l.objid::bigint) = hashtextextended(:id, 0))
"""
FREE = "select pg_try_advisory_xact_lock_shared(hashtextextended(:id, 0))"


class Nobody:
    """A store of versions in which nobody stands."""

    def cohorts_of(self, version_id: str, pseudonyms: Sequence[bytes]) -> list[int | None]:
        return [None for _ in pseudonyms]


class Answered(Struct, frozen=True):
    """A query with its answer, not yet fetched."""

    database: Database
    sides: Sides
    query_id: UUID
    stream: bytes
    answers: Answers

    @property
    def caller(self) -> Caller:
        return self.sides.startup.caller


@pytest.fixture
async def answered(database: Database, session: AsyncSession, tmp_path: Path) -> Answered:
    return await answered_in(session, database, tmp_path)


async def answered_in(session: AsyncSession, database: Database, tmp_path: Path) -> Answered:
    """A query of one row, its answer kept below `tmp_path`."""
    answers = Answers(tmp_path / "answers", Keys(tmp_path / "keys"), runner=1)
    sides = await open_sides(database)
    agreement = await session.get_one(Agreement, await sides.agreement(database))
    dataset = await session.get_one(Dataset, sides.dataset_id)
    table, sink = pa.table({"n": [1]}), pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    stream = sink.getvalue().to_pybytes()
    query = Query(
        id=new_id(), organisation_id=agreement.startup_id, person_id=sides.startup.person.id,
        purpose=PURPOSE, sql="select 1", state="ready", decision={}, bytes=0, quote_vnd=0, charged_vnd=0, rows=1,
        output=[], result_sha256=hashlib.sha256(stream).hexdigest(), created_at=utcnow() - timedelta(minutes=5),
    )  # fmt: skip
    line = QueryLine(
        query_id=query.id, agreement_id=agreement.id, decision_id=query.id, dataset_id=dataset.id,
        owner_id=agreement.owner_id, version_id=dataset.current_version_id, revision=0, columns=[], bytes=0,
        quote_vnd=0, excluded_seen=0,
    )  # fmt: skip
    session.add(query)
    await session.flush()
    session.add(line)
    draft = answers.draft(query.id)
    draft.write(stream)
    kept = msgspec.structs.asdict(draft.finish())
    session.add(QueryResult(query_id=query.id, expires_at=utcnow() + timedelta(days=1), **kept))
    await session.flush()
    return Answered(database, sides, query.id, stream, answers)


async def _fetch(session: AsyncSession, answered: Answered, caller: Caller | None = None) -> StoredResult:
    return await result(
        session,
        answered.answers,
        caller=caller or answered.caller,
        query_id=answered.query_id,
        database=answered.database,
        store=Nobody(),
    )


async def _replace_version(session: AsyncSession, answered: Answered, version_id: str | None = "ff" * 32) -> None:
    dataset = await session.get_one(Dataset, answered.sides.dataset_id)
    dataset.current_version_id = version_id
    await session.flush()


async def _withdraw(
    session: AsyncSession, answered: Answered, *, purpose: str = PURPOSE, minutes_ago: int = 0
) -> None:
    at = utcnow() - timedelta(minutes=minutes_ago)
    session.add(
        ConsentEvent(
            id=new_id(), dataset_id=answered.sides.dataset_id, subject=b"s" * 16, purpose=purpose,
            event="withdrawn", at=at, recorded_by=answered.sides.owner.person.id, recorded_at=at,
        )
    )  # fmt: skip
    await session.flush()


async def test_who_is_named_fetches_it_and_no_colleague_who_is_not(
    session: AsyncSession, answered: Answered, make: Make
) -> None:
    assert (await _fetch(session, answered)).answer.read() == answered.stream
    startup = answered.sides.startup.organisation
    colleague = make.caller_of(startup, await make.person(session, startup))
    with pytest.raises(NotNamed):
        await _fetch(session, answered, colleague)
    with pytest.raises(NotFound):
        await _fetch(session, answered, answered.sides.rival.caller)


async def test_a_suspended_organisation_fetches_nothing(session: AsyncSession, answered: Answered) -> None:
    suspended = msgspec.structs.replace(answered.caller, organisation_suspended=True)
    with pytest.raises(OrganisationSuspended):
        await _fetch(session, answered, suspended)


async def test_an_answer_that_was_erased_says_so_and_another_cancelled_query_that_there_is_none(
    session: AsyncSession, answered: Answered
) -> None:
    failure = "jsonb_build_object('code', cast(:code as text))"
    cancelled = text(f"update query set state = 'cancelled', failure = {failure} where id = :id")
    for code, refusal in (("query.answer_erased", AnswerErased), ("query.cancelled", NotReady)):
        await session.execute(cancelled, {"code": code, "id": answered.query_id})
        with pytest.raises(refusal):
            await _fetch(session, answered)


@pytest.mark.parametrize("now", ["ff" * 32, None], ids=["a newer version", "taken back"])
async def test_a_withdrawal_after_its_version_was_replaced_closes_what_it_answered(
    session: AsyncSession, answered: Answered, now: str | None
) -> None:
    await _replace_version(session, answered, now)
    await _fetch(session, answered)
    await _withdraw(session, answered)
    with pytest.raises(ResultGone) as gone:
        await _fetch(session, answered)
    assert gone.value.params == {"cause": "data_changed"}


async def test_consent_that_ran_out_since_closes_what_an_older_version_answered_though_no_sweep_ran(
    database: Database, tmp_path: Path
) -> None:
    async with database.session() as session:
        answered = await answered_in(session, database, tmp_path)
        await _ran_out(session, answered)
    async with database.session() as session:
        with pytest.raises(ResultGone) as gone:
            await _fetch(session, answered)
    assert gone.value.params == {"cause": "data_changed"}


async def test_what_ran_out_in_several_datasets_is_written_one_after_the_other(
    database: Database, tmp_path: Path
) -> None:
    """Else a fetch that has one and wants the other waits for a query that settles the other way round."""
    newest = [secrets.token_hex(32), secrets.token_hex(32)]
    async with database.session() as session:
        first, second = [await answered_in(session, database, tmp_path) for _ in newest]
        for each, version_id in zip((first, second), newest, strict=True):
            await _ran_out(session, each)
            (await session.get_one(Dataset, each.sides.dataset_id)).current_version_id = version_id
        await session.execute(text(BOTH), {"first": first.query_id, "second": second.query_id})
    async with database.session() as settling:
        await lock_version(settling, newest[1], shared=True)

        async def fetch() -> None:
            async with database.session() as session:
                with pytest.raises(NotNamed):
                    await _fetch(session, first)

        fetching = asyncio.create_task(fetch())
        while not (await settling.execute(text(WAITS), {"id": newest[1]})).scalar_one():
            await asyncio.wait({fetching}, timeout=0.01)
        assert (await settling.execute(text(FREE), {"id": newest[0]})).scalar_one()
    await fetching


async def test_a_fetch_waits_for_a_withdrawal_that_is_being_recorded_and_is_refused(
    database: Database, tmp_path: Path
) -> None:
    """Else the log would show a withdrawn consent used: the withdrawal first, then the fetch."""
    async with database.session() as session:
        answered = await answered_in(session, database, tmp_path)
        version_id = (await session.get_one(Dataset, answered.sides.dataset_id)).current_version_id
    assert version_id is not None

    async def fetch() -> None:
        async with database.session() as session:
            await _fetch(session, answered)

    async with database.session() as withdrawing:
        await lock_version(withdrawing, version_id, shared=False)
        fetching = asyncio.create_task(fetch())
        while not (await withdrawing.execute(text(WAITS), {"id": version_id})).scalar_one():
            await asyncio.wait({fetching}, timeout=0.01)
        withdrawing.add(ExcludedCohort(id=new_id(), version_id=version_id, cohort=0, purpose=PURPOSE, revision=1))
    with pytest.raises(ResultGone) as gone:
        await fetching
    assert gone.value.params == {"cause": "data_changed"}


async def _ran_out(session: AsyncSession, answered: Answered) -> None:
    """Somebody's consent, a minute ago, in a dataset that has a newer version."""
    await _replace_version(session, answered)
    dataset = await session.get_one(Dataset, answered.sides.dataset_id)
    dataset.expired_until = utcnow() - timedelta(minutes=2)
    given_at, ran_out = utcnow() - timedelta(hours=1), utcnow() - timedelta(minutes=1)
    session.add(
        ConsentEvent(
            id=new_id(), dataset_id=dataset.id, subject=b"s" * 16, purpose=PURPOSE, event="given", at=given_at,
            expires_at=ran_out, recorded_at=given_at,
        )
    )  # fmt: skip
    await session.flush()


async def test_a_withdrawal_of_somebody_who_is_not_in_the_newest_version_closes_nothing(
    session: AsyncSession, answered: Answered
) -> None:
    await _withdraw(session, answered)  # of the newest version: the cohorts taken out of it decide
    fetched = await _fetch(session, answered)
    assert fetched.answer.read() == answered.stream


async def test_an_older_withdrawal_or_one_of_another_purpose_does_not_close_an_older_versions_answer(
    session: AsyncSession, answered: Answered
) -> None:
    await _replace_version(session, answered)
    await _withdraw(session, answered, minutes_ago=10)
    await _withdraw(session, answered, purpose="public.service")
    fetched = await _fetch(session, answered)
    assert fetched.answer.read() == answered.stream
