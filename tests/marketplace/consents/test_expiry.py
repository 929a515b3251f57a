"""What runs out is out at its instant, without an event needing to arrive; the event follows as a record."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from marketplace.agreements.models import Agreement, Application
from marketplace.consents.actors import DataSubject
from marketplace.consents.expiry import DUE, expire, expire_all
from marketplace.consents.models import ConsentEvent
from marketplace.consents.newest import NEWEST, consents, is_out
from marketplace.consents.schemas import Circumstances
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.errors import Problem
from marketplace.queries.prepare import facts_of
from marketplace.queries.schemas import Ask
from marketplace.queries.services import Services
from tests.examples import tried
from tests.marketplace.consents.conftest import PEOPLE, PURPOSES, Listed
from tests.marketplace.consents.test_register import events_of, gone, say
from tests.marketplace.parties import Make, Party

PURPOSE, OTHER = PURPOSES
HOUR = timedelta(hours=1)


def until(moment: datetime) -> Circumstances:
    return Circumstances(expires_at=moment)


async def give(database: Database, listed: Listed, subject: str, *, expires_at: datetime, ago: timedelta) -> None:
    await say(database, listed, "given", subject, ago=ago, circumstances=until(expires_at))


async def words_of(database: Database, listed: Listed, subject: str) -> list[tuple[str, datetime]]:
    chosen = select(ConsentEvent.event, ConsentEvent.at).where(
        ConsentEvent.dataset_id == listed.dataset_id, ConsentEvent.subject == listed.pseudonym(subject)
    )
    async with database.session() as session:
        return [(row.event, row.at) for row in await session.execute(chosen.order_by(ConsentEvent.at))]


async def _agreed(database: Database, listed: Listed, make: Make) -> tuple[Party, Ask]:
    startup, now = await make.party(database), utcnow()
    sides = {
        "dataset_id": listed.dataset_id, "owner_id": listed.owner.organisation.id,
        "startup_id": startup.organisation.id, "purpose": PURPOSE, "people": [startup.person.id],
    }  # fmt: skip
    async with database.session() as session:
        application = Application(
            id=new_id(),
            applicant_id=startup.person.id,
            justification="j",
            duration_days=9,
            state="accepted",
            **sides,
        )
        session.add(application)
        await session.flush()
        agreement = Agreement(
            id=new_id(), application_id=application.id, columns=["sex"], valid_from=now - HOUR,
            expires_at=now + HOUR, **sides,
        )  # fmt: skip
        session.add(agreement)
    return startup, Ask(agreement_ids=(agreement.id,), purpose=PURPOSE, sql="select 1")


async def test_the_next_query_after_the_instant_is_without_the_cohort_though_no_sweep_ran(
    database: Database, listed: Listed, make: Make
) -> None:
    startup, ask = await _agreed(database, listed, make)
    services = cast(Services, SimpleNamespace(database=database, store=listed.store))
    expires_at = utcnow() + timedelta(milliseconds=300)
    await give(database, listed, PEOPLE[13], expires_at=expires_at, ago=HOUR)
    (before,) = await facts_of(services, startup.caller, ask)
    await asyncio.sleep((expires_at - utcnow()).total_seconds() + 0.01)
    (after,) = await facts_of(services, startup.caller, ask)
    assert [(f.excluded, f.revision) for f in (before, after)] == [(frozenset(), 0), (frozenset({1}), 1)]
    assert await words_of(database, listed, PEOPLE[13]) == [
        ("given", (await words_of(database, listed, PEOPLE[13]))[0][1]), ("expired", expires_at),
    ]  # fmt: skip


async def test_the_sweep_writes_it_where_nobody_asks_and_only_once(database: Database, listed: Listed) -> None:
    ran_out = utcnow() - HOUR
    await give(database, listed, PEOPLE[2], expires_at=ran_out, ago=2 * HOUR)
    assert await expire_all(database, listed.store) >= 1
    assert await gone(database, listed) == (frozenset({0}), 1)
    await give(database, listed, PEOPLE[13], expires_at=ran_out - timedelta(minutes=1), ago=2 * HOUR)
    await expire_all(database, listed.store)
    assert await gone(database, listed) == (frozenset({0, 1}), 2)
    assert [word for word, _ in await words_of(database, listed, PEOPLE[2])] == ["given", "expired"]
    assert [e.name for e in await events_of(database, listed)] == [
        "consent:give", "consent:expire", "dataset:revision", "consent:give", "consent:expire", "dataset:revision",
    ]  # fmt: skip


async def test_consent_that_was_renewed_does_not_run_out_whenever_the_renewal_arrives(
    database: Database, listed: Listed
) -> None:
    ran_out = utcnow() - HOUR
    await give(database, listed, PEOPLE[3], expires_at=ran_out, ago=4 * HOUR)
    await say(database, listed, "given", PEOPLE[3], ago=2 * HOUR)
    await give(database, listed, PEOPLE[4], expires_at=ran_out, ago=4 * HOUR)
    await expire_all(database, listed.store)
    assert await gone(database, listed) == (frozenset({0}), 1), "of the one who did not renew"
    await say(database, listed, "given", PEOPLE[4], ago=2 * HOUR)
    async with database.session() as session:
        renewed = {(listed.pseudonym(PEOPLE[3]), 1, 0), (listed.pseudonym(PEOPLE[4]), 1, 0)}
        assert await listed.standing(session) == renewed


async def test_who_withdrew_does_not_run_out_as_well(database: Database, listed: Listed) -> None:
    await give(database, listed, PEOPLE[5], expires_at=utcnow() - HOUR, ago=4 * HOUR)
    await say(database, listed, "withdrawn", PEOPLE[5], ago=2 * HOUR)
    await expire_all(database, listed.store)
    assert [word for word, _ in await words_of(database, listed, PEOPLE[5])] == ["given", "withdrawn"]


async def test_many_that_run_out_at_once_are_one_step_a_purpose(database: Database, listed: Listed) -> None:
    ran_out = utcnow() - HOUR
    for subject in (PEOPLE[1], PEOPLE[11]):
        await give(database, listed, subject, expires_at=ran_out, ago=2 * HOUR)
    async with database.session() as session:
        await expire(session, dataset_id=listed.dataset_id, store=listed.store)
    assert await gone(database, listed) == (frozenset({0, 1}), 1)
    expired = next(e for e in await events_of(database, listed) if e.name == "consent:expire")
    assert (expired.body["expired"], expired.parties) == ({PURPOSE: 2}, [])


def _rows_read(plan: dict[str, Any]) -> float:
    """Of the register, by all parts of a plan that ran."""
    mine = plan["Actual Rows"] * plan["Actual Loops"] if plan.get("Relation Name") == "consent_event" else 0
    removed = plan.get("Rows Removed by Filter", 0) * plan["Actual Loops"]
    return float(mine + removed + sum(map(_rows_read, plan.get("Plans", ()))))


async def test_to_see_that_nothing_has_run_out_reads_one_row_however_many_will(
    database: Database, listed: Listed
) -> None:
    many = text("""
        INSERT INTO consent_event (id, dataset_id, subject, purpose, event, at, expires_at, recorded_at)
        SELECT gen_random_uuid(), :id, decode(md5(n::text), 'hex'), :purpose, 'given', now() - interval '1 day',
            now() + n * interval '1 hour', now() FROM generate_series(1, 3000) AS n
    """)
    ask = text(f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT {DUE} AS due FROM dataset d WHERE d.id = :id")
    async with database.session() as session:
        await session.execute(many, {"id": listed.dataset_id, "purpose": PURPOSE})
        # So few datasets as tests have may as well be read one after the other.
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        (told,) = (await session.execute(ask, {"id": listed.dataset_id})).one()
        await session.rollback()
    assert _rows_read(told[0]["Plan"]) <= 1


WORDS = st.lists(
    st.tuples(st.sampled_from(["given", "withdrawn", "revoked"]), st.integers(0, 6), st.integers(1, 8)), max_size=5
)


@settings(max_examples=tried(12), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS, asked=st.integers(0, 14))
async def test_at_every_instant_a_person_consents_or_is_out_as_the_newest_word_says(
    database: Database, listed: Listed, words: list[tuple[str, int, int]], asked: int
) -> None:
    """A model of the register: hours from a beginning; the newest word counts, of one hour the one that takes."""
    begin = utcnow() - 24 * HOUR
    subject = new_id().bytes
    async with database.session() as session:
        for word, hour, life in words:
            session.add(
                ConsentEvent(
                    dataset_id=listed.dataset_id, subject=subject, purpose=OTHER, event=word,
                    at=begin + hour * HOUR, expires_at=begin + (hour + life) * HOUR if word == "given" else None,
                )
            )  # fmt: skip
        await session.flush()
        parameters = {"dataset_id": listed.dataset_id, "now": begin + asked * HOUR, "subject": subject}
        found = []
        for holds in (consents, is_out):
            select_it = text(f"SELECT count(*) FROM ({NEWEST}) AS n WHERE subject = :subject AND {holds('n')}")
            found.append(await session.scalar(select_it, parameters))
    newest = max(words, key=lambda w: (w[1], w[0] != "given"), default=None)
    if newest is None:
        assert found == [0, 0]
        return
    given_at = [(hour, life) for word, hour, life in words if (word, hour) == newest[:2]]
    stands = {newest[0] == "given" and asked < hour + life for hour, life in given_at}
    assert found in [[int(s), int(not s)] for s in stands]


@pytest.mark.parametrize(
    ("said", "expires_at", "code"),
    [
        ("withdrawn", utcnow() + HOUR, "consent.expiry_of_nothing"),
        ("given", utcnow() - 24 * HOUR, "consent.runs_out_before"),
        ("given", datetime.max.replace(tzinfo=utcnow().tzinfo), "request.invalid"),
    ],
)
async def test_an_expiry_that_makes_no_sense_is_refused(
    database: Database, listed: Listed, said: str, expires_at: datetime, code: str
) -> None:
    with pytest.raises(Problem) as told:
        await say(database, listed, said, PEOPLE[0], circumstances=until(expires_at))  # type: ignore[arg-type]
    assert told.value.code == code


async def test_a_person_revokes_nothing_and_an_owner_does(database: Database, listed: Listed) -> None:
    with pytest.raises(Problem) as told:
        await say(database, listed, "revoked", PEOPLE[13], by=DataSubject(subject=PEOPLE[13]))
    assert told.value.code == "auth.forbidden"
    await say(database, listed, "revoked", PEOPLE[13])
    assert await gone(database, listed) == (frozenset({1}), 1)


async def test_what_was_said_about_the_circumstances_is_in_the_register(
    database: Database, listed: Listed
) -> None:
    circumstances = Circumstances(
        notice_sha256="ab" * 32, notice_language="vi", notice_version="3", evidence="hồ sơ 12/2026",
        method="paper", jurisdiction="VN-HN",
    )  # fmt: skip
    receipt = await say(database, listed, "given", PEOPLE[7], circumstances=circumstances)
    assert receipt.notice_sha256 == "ab" * 32
    async with database.session() as session:
        row = await session.get_one(ConsentEvent, receipt.id)
    kept = (row.notice_sha256, row.notice_language, row.notice_version, row.evidence, row.method, row.jurisdiction)
    assert kept == (b"\xab" * 32, "vi", "3", "hồ sơ 12/2026", "paper", "VN-HN")
