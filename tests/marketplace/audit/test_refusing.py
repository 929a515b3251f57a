"""Who writes to the database without a key of the home gets no leaf, and what was put in is named."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import psycopg
import pytest

from marketplace.audit import sequencer
from marketplace.audit.actions import record
from marketplace.audit.canonical import exact
from marketplace.audit.commitment import commitment
from marketplace.audit.errors import NotAdmitted
from marketplace.audit.refusing import NAMED, admit
from marketplace.audit.tag import event_tag
from marketplace.cli import audit_home
from marketplace.db import embedded
from marketplace.db.base import ms_of, utcnow
from marketplace.db.keys import Keys
from marketplace.db.roles import OWNER, SERVICE
from tests.marketplace.audit.conftest import Log
from tests.marketplace.audit.test_cli import run
from tests.marketplace.audit.test_full_audit import EVENT_FIELDS

WAITS = "INSERT INTO pending_leaf (event_id, tag) VALUES (%s, %s)"


def put_in(log: Log, *, tag: bytes | None = None, role: str = SERVICE) -> UUID:
    """An event with its salt and its place among those that wait, as `record` writes them."""
    event_id, salt, at = uuid4(), b"s" * 16, utcnow().replace(microsecond=0)
    event = dict.fromkeys(EVENT_FIELDS) | {
        "id": str(event_id), "at": ms_of(at), "name": "test:event", "parties": [], "body": {"n": 1}
    }  # fmt: skip
    with psycopg.connect(embedded.url(log.config.home, OWNER)) as connection:
        connection.execute(f"SET ROLE {role}".encode())
        connection.execute(
            "INSERT INTO event (id, at, name, parties, body, commitment)"
            " VALUES (%s, %s, 'test:event', '{}', '{\"n\": 1}', %s)",
            (event_id, at, commitment(salt, exact(event))),
        )
        connection.execute("INSERT INTO event_salt (event_id, salt) VALUES (%s, %s)", (event_id, salt))
        connection.execute(WAITS, (event_id, tag))
    return event_id


async def use(log: Log, n: int) -> UUID:
    async with log.database.session() as session:
        return await record(session, "test:event", body={"n": n})


async def test_what_is_put_in_by_sql_gets_no_leaf_and_is_named_and_the_log_goes_on(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    first, forged, last = await use(log, 0), put_in(log), await use(log, 1)
    assert await log.sequence() == 2
    assert str(forged) in caplog.text
    assert await log.sequence() == 1, "what tells of it"
    order = "SELECT array_agg(event_id ORDER BY index) FROM audit_leaf WHERE index < 2"
    assert await log.one(order) == [first, last]
    assert await log.one("SELECT body FROM event WHERE name = 'log:refuse'") == {
        "count": 1,
        "events": [str(forged)],
    }
    assert [(each.code, each.where) for each in await log.findings()] == [("log.event_hidden", str(forged))]
    assert await log.one("SELECT count(*) FROM pending_leaf") == 0


@pytest.mark.parametrize("role", [SERVICE, OWNER])
async def test_a_tag_of_another_event_or_of_another_key_does_not_serve(log: Log, role: str) -> None:
    ours = await use(log, 0)
    tag = await log.one("SELECT tag FROM pending_leaf")
    stolen = put_in(log, tag=tag, role=role)
    made = put_in(log, tag=event_tag(b"k" * 32, uuid4(), b"c" * 32), role=role)
    assert await log.sequence() == 1
    assert await log.one("SELECT event_id FROM audit_leaf") == ours
    named = await log.one("SELECT body -> 'events' FROM event WHERE name = 'log:refuse'")
    assert sorted(named) == sorted([str(stolen), str(made)])


async def test_a_flood_of_them_stops_nothing_and_is_told_in_one_event(log: Log) -> None:
    many = NAMED + 10
    for _ in range(many):
        put_in(log)
    ours = await use(log, 0)
    assert await log.sequence() == 1
    assert await log.one("SELECT event_id FROM audit_leaf") == ours
    told = await log.one("SELECT body FROM event WHERE name = 'log:refuse'")
    assert (told["count"], len(told["events"])) == (many, NAMED)
    assert len(await log.findings()) == many, "the full audit names every one"


async def test_a_round_of_nothing_but_such_signs_no_head(log: Log) -> None:
    put_in(log)
    assert await log.sequence() == 0
    assert await log.one("SELECT count(*) FROM checkpoint") == 0


async def test_places_in_the_queue_without_an_event_hold_up_nobody(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer, "BATCH_EVENTS", 3)
    nobody = [UUID(int=n) for n in range(4)]
    log.tamper(*(f"INSERT INTO pending_leaf (event_id) VALUES ('{each}')" for each in nobody))
    ours = await use(log, 0)
    for _ in range(5):
        await log.sequence()
    assert await log.one("SELECT count(*) FROM pending_leaf") == 0
    assert await log.one("SELECT event_id FROM audit_leaf WHERE index = 0") == ours
    named = "SELECT sum(CAST(body ->> 'count' AS int)) FROM event WHERE name = 'log:refuse'"
    assert await log.one(named) == len(nobody)
    assert await log.findings() == ()


async def test_what_has_its_leaf_and_is_put_into_the_queue_again_holds_up_nobody(log: Log) -> None:
    """With the tag that it had: whoever looked at the queue while it waited has that."""
    ours = await use(log, 0)
    tag = await log.one("SELECT tag FROM pending_leaf")
    await log.sequence()
    with psycopg.connect(embedded.url(log.config.home, OWNER)) as connection:
        connection.execute(f"SET ROLE {SERVICE}".encode())
        connection.execute(WAITS, (ours, tag))
    later = await use(log, 1)
    for _ in range(5):
        await log.sequence()
    assert await log.one("SELECT count(*) FROM pending_leaf") == 0
    assert await log.one("SELECT event_id FROM audit_leaf WHERE index = 1") == later
    assert await log.one("SELECT body -> 'events' FROM event WHERE name = 'log:refuse'") == [str(ours)]
    assert await log.findings() == ()


async def test_one_with_the_tag_of_this_home_gets_its_leaf(log: Log) -> None:
    """What the tests above refuse lacks nothing else."""
    put_in(log)
    for_it = "SELECT commitment FROM event WHERE name = 'test:event'"
    event_id = await log.one("SELECT id FROM event WHERE name = 'test:event'")
    tag = event_tag(log.keys.event_tag(), event_id, await log.one(for_it))
    log.tamper(f"UPDATE pending_leaf SET tag = '\\x{tag.hex()}'")
    assert await log.sequence() == 1
    assert await log.findings() == ()


async def test_what_was_ours_after_all_is_let_in_by_who_holds_the_key_and_that_is_logged(log: Log) -> None:
    event_id = put_in(log)
    for _ in range(2):
        await log.sequence()
    async with log.database.session() as session:
        await admit(session, event_id, reason="written by the service of before")
    assert await log.sequence() == 2
    assert await log.findings() == ()
    said = await log.one("SELECT body FROM event WHERE name = 'log:admit'")
    assert said == {"event": str(event_id), "reason": "written by the service of before"}


async def test_what_has_a_leaf_or_waits_or_was_changed_or_is_none_is_not_let_in(log: Log) -> None:
    in_log = await use(log, 0)
    changed = put_in(log)
    await log.sequence()
    log.tamper(f"UPDATE event SET purpose = 'x' WHERE id = '{changed}'")
    waiting = await use(log, 1)
    for event_id in (in_log, waiting, changed, uuid4()):
        with pytest.raises(NotAdmitted):
            async with log.database.session() as session:
                await admit(session, event_id, reason="none")
    assert await log.one("SELECT count(*) FROM event WHERE name = 'log:admit'") == 0


async def test_after_the_key_was_changed_new_events_get_their_leaf(log: Log, tmp_path: object) -> None:
    """What waited under the old one is named, and can be let in."""
    waited = await use(log, 0)
    (log.keys._folder / "event-tag").unlink()
    assert await log.sequence() == 0
    named = await log.one("SELECT body -> 'events' FROM event WHERE name = 'log:refuse'")
    assert named == [str(waited)]
    assert Keys(log.keys._folder).event_tag() != Keys(log.config.path("keys")).event_tag()


async def test_the_command_lets_in_and_says_what_it_cannot(
    log: Log, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(audit_home, "load", lambda: log.config)
    event_id = put_in(log)
    await log.sequence()
    chosen = ("admit", str(event_id), "--reason", "ours")
    assert await asyncio.to_thread(run, *chosen) == 0
    assert str(event_id) in capsys.readouterr().out
    assert await log.sequence() == 3
    with pytest.raises(NotAdmitted):
        await asyncio.to_thread(run, *chosen)
