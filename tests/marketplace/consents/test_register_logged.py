"""The full audit holds the register of consents to the log: a row edited, removed or inserted is named."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import text

from marketplace.config import Config
from marketplace.consents.expiry import expire_all
from marketplace.db import embedded
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.db.roles import OWNER
from marketplace.inspection.register import check_register
from tests.marketplace.consents.conftest import PEOPLE, Listed
from tests.marketplace.consents.test_expiry import give
from tests.marketplace.consents.test_imports import Take, as_csv, said
from tests.marketplace.consents.test_imports import take as take  # noqa: PLC0414
from tests.marketplace.consents.test_register import events_of, say


async def differing(database: Database, before: set[tuple[str, str]] = frozenset()) -> set[tuple[str, str]]:  # type: ignore[assignment]
    """What the audit names by now, but for `before`: other tests write rows that nothing logged."""
    async with database.snapshot() as session:
        return {(each.code, each.where) for each in await check_register(session)} - before


def tamper(config: Config, statement: str, *values: object) -> None:
    """As the owner of the tables, with triggers off."""
    with psycopg.connect(embedded.url(config.home, OWNER)) as connection:
        connection.execute("SET session_replication_role = replica")
        assert connection.execute(statement.encode(), values).rowcount == 1


async def written(database: Database, listed: Listed) -> list[UUID]:
    async with database.session() as session:
        of = text("SELECT id FROM consent_event WHERE dataset_id = :id ORDER BY recorded_at, id")
        return list((await session.scalars(of, {"id": listed.dataset_id})).all())


async def all_kinds(database: Database, listed: Listed, take: Take) -> None:
    """A word by itself, a file, the same file again, and what the clock said."""
    await say(database, listed, "withdrawn", PEOPLE[1])
    file = as_csv([said(n, p, event_id=f"w{n}", evidence="tủ 3") for n, p in enumerate(PEOPLE[2:6])])
    await take(file)
    await take(file)
    await give(database, listed, PEOPLE[7], expires_at=utcnow() - timedelta(hours=1), ago=timedelta(hours=4))
    await expire_all(database, listed.store)


EDITS = (
    "subject = sha256(subject)", "purpose = 'public.service'", "event = 'revoked'", "at = at - interval '1 day'",
    "evidence = 'khác'", "recorded_by = gen_random_uuid()", "recorded_at = recorded_at - interval '1 second'",
    "notice_language = 'lo'", "dataset_id = gen_random_uuid()",
)  # fmt: skip


@pytest.mark.parametrize("edit", EDITS)
async def test_a_row_that_was_edited_is_named(
    database: Database, config: Config, listed: Listed, take: Take, edit: str
) -> None:
    before = await differing(database)
    await all_kinds(database, listed, take)
    assert await differing(database, before) == set()
    word, *_ = await written(database, listed)
    tamper(config, f"UPDATE consent_event SET {edit} WHERE id = %s", word)
    assert ("register.row_changed", str(word)) in await differing(database, before)


async def test_a_row_of_a_file_or_of_the_clock_that_was_edited_is_named_by_what_told_of_it(
    database: Database, config: Config, listed: Listed, take: Take
) -> None:
    before = await differing(database)
    await all_kinds(database, listed, take)
    rows, events = await written(database, listed), await events_of(database, listed)
    told = {
        each.name: str(each.id) for each in reversed(events) if each.name in ("consent:import", "consent:expire")
    }
    tamper(config, "UPDATE consent_event SET subject = sha256(subject) WHERE id = %s", rows[2])
    assert await differing(database, before) == {("register.rows_changed", told["consent:import"])}
    tamper(config, "UPDATE consent_event SET subject = sha256(subject) WHERE id = %s", rows[-1])
    assert ("register.rows_changed", told["consent:expire"]) in await differing(database, before)


async def test_rows_that_are_gone_and_rows_that_nobody_logged_are_named(
    database: Database, config: Config, listed: Listed, take: Take
) -> None:
    before = await differing(database)
    await all_kinds(database, listed, take)
    rows, other = await written(database, listed), UUID(int=utcnow().microsecond)
    sent = next(str(each.id) for each in await events_of(database, listed) if each.name == "consent:import")
    tamper(config, "DELETE FROM consent_event WHERE id = %s", rows[0])
    tamper(config, "DELETE FROM consent_event WHERE id = %s", rows[3])
    tamper(
        config,
        "INSERT INTO consent_event (id, dataset_id, subject, purpose, event, at, recorded_at)"
        " SELECT %s, dataset_id, subject, purpose, 'given', at, now() FROM consent_event WHERE id = %s",
        other, rows[1],
    )  # fmt: skip
    assert await differing(database, before) == {
        ("register.row_missing", str(rows[0])),
        ("register.rows_changed", sent),
        ("register.row_inserted", str(other)),
    }  # fmt: skip


async def test_what_a_person_is_given_as_proof_names_nobody_of_the_owner(
    database: Database, listed: Listed
) -> None:
    """The row tells the owner who of its people recorded it, and the log commits to the row."""
    await say(database, listed, "given", PEOPLE[1])
    (event, *_) = await events_of(database, listed)
    assert event.actor_person_id is None
    async with database.session() as session:
        by = await session.scalar(
            text("SELECT recorded_by FROM consent_event WHERE dataset_id = :id"), {"id": listed.dataset_id}
        )
    assert by is not None
    assert str(by) not in str(event.body)
