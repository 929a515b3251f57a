"""Answers kept in dp mode go when no question can find them any more."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from marketplace.agreements.models import Agreement
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.listings.models import Dataset, ExcludedCohort
from marketplace.queries.jobs import sweep
from marketplace.queries.keeping import Answers
from marketplace.queries.models import PrivateAnswer, Query, QueryLine
from marketplace.tables import metadata
from tests.marketplace.agreements.conftest import open_sides

PURPOSE = "research.academic"
TABLES = metadata
"""Whole: an excluded cohort refers to tables that nothing else here does."""


async def _kept(database: Database) -> tuple[UUID, UUID, str]:
    """An agreement with a kept answer: its id, its dataset's, and the version that was asked."""
    sides = await open_sides(database)
    agreement_id = await sides.agreement(database)
    async with database.session() as session:
        agreement = await session.get_one(Agreement, agreement_id)
        dataset = await session.get_one(Dataset, sides.dataset_id)
        assert dataset.current_version_id is not None
        query = Query(
            id=new_id(), organisation_id=agreement.startup_id, person_id=sides.startup.person.id, purpose=PURPOSE,
            sql="select 1", state="ready", decision={}, bytes=0, quote_vnd=0, charged_vnd=0,
        )  # fmt: skip
        session.add(query)
        await session.flush()
        session.add(
            QueryLine(
                query_id=query.id, agreement_id=agreement_id, decision_id=query.id, dataset_id=dataset.id,
                owner_id=agreement.owner_id, version_id=dataset.current_version_id, revision=0, columns=[],
                bytes=0, quote_vnd=0, excluded_seen=0,
            )
        )  # fmt: skip
        session.add(
            PrivateAnswer(agreement_id=agreement_id, question=b"q", query_id=query.id, body=b"sealed", rows=1)
        )
        return agreement_id, dataset.id, dataset.current_version_id


@pytest.mark.parametrize("gone", ["no", "ended", "expired", "older version", "older revision"])
async def test_the_sweep_erases_answers_of_what_is_over_and_keeps_the_others(
    database: Database, tmp_path: Path, gone: str
) -> None:
    agreement_id, dataset_id, version_id = await _kept(database)
    async with database.session() as session:
        agreement = await session.get_one(Agreement, agreement_id)
        if gone == "ended":
            agreement.ended_at = utcnow()
        elif gone == "expired":
            agreement.expires_at = utcnow() - timedelta(seconds=1)
        elif gone == "older version":
            (await session.get_one(Dataset, dataset_id)).current_version_id = "ff" * 32
        elif gone == "older revision":
            session.add(ExcludedCohort(version_id=version_id, cohort=1, purpose=PURPOSE, revision=1))
    await sweep(database, Answers(tmp_path / "answers", Keys(tmp_path / "keys"), runner=1))
    async with database.session() as session:
        rows = select(PrivateAnswer.question).where(PrivateAnswer.agreement_id == agreement_id)
        assert (await session.scalars(rows)).all() == ([b"q"] if gone == "no" else [])
