"""Both sides of an agreement are told what happened to it, once, and nobody else is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from marketplace.agreements.models import Agreement, Application
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database
from marketplace.finding import agreed, watching
from marketplace.listings.models import Dataset
from tests.marketplace.listed import list_dataset
from tests.marketplace.parties import Make, Party


class Scene:
    """An owner's dataset, with an approver and a steward, and two startups of which one applies."""

    def __init__(self, owner: Party, steward: Any, startup: Party, rival: Party, dataset: Dataset) -> None:
        self.owner, self.steward, self.startup, self.rival, self.dataset = owner, steward, startup, rival, dataset

    def application(self, **told: Any) -> Application:
        """One by the startup's person."""
        values: dict[str, Any] = {
            "id": new_id(), "dataset_id": self.dataset.id, "owner_id": self.owner.organisation.id,
            "startup_id": self.startup.organisation.id, "applicant_id": self.startup.person.id,
            "purpose": "research.academic", "justification": "", "duration_days": 30,
            "people": [self.startup.person.id],
        }  # fmt: skip
        return Application(**values | told)

    def agreement(self, **told: Any) -> tuple[Application, Agreement]:
        """One in force, made so long ago that nobody is told of its beginning."""
        asked = self.application(state="accepted", updated_at=utcnow() - timedelta(days=40))
        values: dict[str, Any] = {
            "id": new_id(), "application_id": asked.id, "dataset_id": asked.dataset_id, "owner_id": asked.owner_id,
            "startup_id": asked.startup_id, "purpose": asked.purpose, "people": asked.people, "columns": [],
            "valid_from": utcnow() - timedelta(days=40), "expires_at": utcnow() + timedelta(days=30),
        }  # fmt: skip
        return asked, Agreement(**values | told)


async def _scene(database: Database) -> Scene:
    make = Make()
    owner, startup, rival = [await make.party(database, kind=kind) for kind in ("owner", "startup", "startup")]
    async with database.session() as session:
        steward = await make.person(session, owner.organisation, roles=["steward"])
        dataset = await list_dataset(session, owner.organisation, owner.person)
    return Scene(owner, steward, startup, rival, dataset)


async def _told(database: Database, person: Any) -> list[watching.NoticeView]:
    """The newest first, after everybody was told twice."""
    for _ in range(2):
        await agreed.tell_agreements(database, at=utcnow())
    async with database.session() as session:
        return list((await watching.read_watched(session, person_id=person.id)).notices)


async def _save(database: Database, *rows: Any) -> None:
    async with database.session() as session:
        for row in rows:
            session.add(row)
            await session.flush()


async def test_an_application_is_told_to_who_answers_it_and_its_answer_to_who_asked(database: Database) -> None:
    scene = await _scene(database)
    application = scene.application()
    await _save(database, application)
    (waits,) = await _told(database, scene.owner.person)
    assert (waits.code, waits.application, waits.agreement, waits.month) == (
        "application_waits", application.id, None, None,
    )  # fmt: skip
    for number, state in enumerate(("returned", "submitted", "accepted"), start=1):
        async with database.session() as session:
            found = await session.get_one(Application, application.id)
            found.state, found.updated_at = state, utcnow() + timedelta(seconds=number)
        await _told(database, scene.startup.person)
    assert [each.code for each in await _told(database, scene.owner.person)] == ["application_waits"] * 2
    answered = await _told(database, scene.startup.person)
    assert sorted(each.code for each in answered) == ["application_accepted", "application_returned"]
    assert {each.application for each in answered} == {application.id}
    assert await _told(database, scene.rival.person) == await _told(database, scene.steward) == []


async def test_what_is_long_over_or_was_half_decided_is_not_told(database: Database) -> None:
    scene = await _scene(database)
    long_ago = utcnow() - timedelta(days=8)
    half = scene.application(first_yes={}, partner_id=scene.rival.organisation.id)
    await _save(database, scene.application(state="rejected", updated_at=long_ago), half)
    assert await _told(database, scene.startup.person) == await _told(database, scene.owner.person) == []


async def test_an_end_is_told_to_the_other_side_and_a_week_before_to_who_asks(database: Database) -> None:
    scene = await _scene(database)
    ended = scene.agreement(ended_at=utcnow(), ended_by=scene.owner.person.id)
    soon = scene.agreement(expires_at=utcnow() + timedelta(days=6))
    short = scene.agreement(valid_from=utcnow(), expires_at=utcnow() + timedelta(days=2))
    await _save(database, *ended, *soon, *short, *scene.agreement())
    told = await _told(database, scene.startup.person)
    assert {(each.code, each.agreement) for each in told} == {
        ("agreement_ended", ended[1].id),
        ("agreement_ends", soon[1].id),
    }
    assert len(told) == 2
    assert await _told(database, scene.owner.person) == [], "who ended it knows"
