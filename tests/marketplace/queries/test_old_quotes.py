"""Quotes cost nothing to ask for, so those that nobody can use must not fill the database."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from marketplace.db.base import first_id_at, new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.queries.jobs import sweep
from marketplace.queries.keeping import Answers
from marketplace.queries.models import Quote
from tests.marketplace.parties import Make

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def quote(person_id: Any, at: datetime, *, lasts: timedelta = HOUR) -> Quote:
    return Quote(id=first_id_at(at), person_id=person_id, note="…", created_at=at, expires_at=at + lasts)


async def test_a_quote_that_expired_long_ago_goes_and_no_other(
    database: Database, make: Make, tmp_path: Path
) -> None:
    person, now = (await make.party(database)).person, utcnow()
    rows = {
        "old": quote(person.id, now - 3 * DAY),
        "still valid": quote(person.id, now - 2 * DAY, lasts=3 * DAY),
        "expired today": quote(person.id, now - 3 * HOUR),
        "new": quote(person.id, now),
    }
    ids = {row.id: name for name, row in rows.items()}
    async with database.session() as session:
        session.add_all(rows.values())
    await sweep(database, Answers(tmp_path / "answers", Keys(tmp_path / "keys"), runner=1))
    async with database.session() as session:
        left = await session.scalars(select(Quote.id).where(Quote.id.in_(ids)))
        assert {ids[each] for each in left} == {"still valid", "expired today", "new"}


def test_ids_stand_behind_the_first_of_their_instant() -> None:
    before, found, after = utcnow() - timedelta(seconds=1), new_id(), utcnow() + timedelta(seconds=60)
    assert first_id_at(before) < found < first_id_at(after)
