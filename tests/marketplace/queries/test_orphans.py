"""Files of answers that nobody can read are removed; those that somebody can, or soon will, are not."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta
from pathlib import Path

from marketplace.agreements.models import Agreement
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.queries.jobs import remove_orphans
from marketplace.queries.keeping import Answers
from marketplace.queries.models import Query, QueryResult
from marketplace.queries.runner import Runner
from tests.marketplace.agreements.conftest import open_sides

PURPOSE = "research.academic"


async def _query(database: Database, state: str, runner: int | None = None) -> uuid.UUID:
    sides = await open_sides(database)
    agreement_id = await sides.agreement(database)
    async with database.session() as session:
        agreement = await session.get_one(Agreement, agreement_id)
        query = Query(
            id=new_id(), organisation_id=agreement.startup_id, person_id=sides.startup.person.id, purpose=PURPOSE,
            sql="select 1", state=state, decision={}, bytes=0, quote_vnd=0, charged_vnd=0, runner=runner,
        )  # fmt: skip
        session.add(query)
        if state == "ready":
            await session.flush()
            late = utcnow() + timedelta(days=1)
            session.add(QueryResult(query_id=query.id, wrapped_key=b"k", size_bytes=1, expires_at=late))
    return query.id


async def test_a_file_goes_when_its_key_is_gone_and_a_draft_with_its_process(
    database: Database, tmp_path: Path
) -> None:
    alive, dead = Runner(database), secrets.randbelow(2**30) + 1
    await alive.hold()
    try:
        folder = tmp_path / "answers"
        folder.mkdir()
        ready, failed = await _query(database, "ready"), await _query(database, "failed")
        running = await _query(database, "running", alive.number)
        drafted = f"{alive.number}~{uuid.uuid4()}"
        kept = {str(ready), str(running), drafted, "something else"}
        gone = {str(failed), str(uuid.uuid4()), f"{dead}~{uuid.uuid4()}"}
        for name in kept | gone:
            (folder / name).write_bytes(b"x")
        answers = Answers(folder, Keys(tmp_path / "keys"), runner=alive.number)
        assert await remove_orphans(database, answers) == len(gone)
        assert {path.name for path in folder.iterdir()} == kept
        async with database.session() as session:
            (await session.get_one(Query, running)).state = "failed"
    finally:
        await alive.release()
    assert await remove_orphans(database, answers) == 2
    assert {path.name for path in folder.iterdir()} == {str(ready), "something else"}
