"""Who uses a joint dataset: only a startup to which both owners said yes, and only until either ends it."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from marketplace.agreements.joint import both
from marketplace.agreements.models import Agreement
from marketplace.agreements.terms import Granted
from marketplace.audit.models import Event
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.listings.models import Dataset
from tests.marketplace.api import Client
from tests.marketplace.linkages.conftest import Pair, pair_of
from tests.marketplace.parties import Make, Party

TERMS = {
    "purpose": "product.rnd",
    "justification": "Thống kê gộp cho kiểm thử, không tái định danh ai.",
    "duration_days": 30,
}
REASON = "Vì một lý do."


@pytest.fixture
async def startup(database: Database) -> Party:
    return await Make().party(database)


RELEASED: dict[str, str] = {}
"""The slug of one joint dataset for all tests here but the one that ends it."""


@pytest.fixture
async def joint(owners: tuple[Party, Party, Party], client: Client, tmp_path: Path) -> Pair:
    """Both owners of a joint dataset that is listed."""
    pair = pair_of(owners, client, tmp_path)
    if not RELEASED:
        await pair.released()
        RELEASED["slug"] = pair.slug
    return replace(pair, slug=RELEASED["slug"])


async def applied(pair: Pair, startup: Party) -> str:
    answer = await pair.client.post(f"/api/v1/datasets/{pair.slug}/applications", token=startup.token, json=TERMS)
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


async def decide(pair: Pair, application: str, by: Party, decision: str = "accept", **more: Any) -> Any:
    said = {"decision": decision, "reason": REASON} | more
    return await pair.client.post(f"/api/v1/applications/{application}/decision", token=by.token, json=said)


async def agreement_of(database: Database, application: str) -> Agreement | None:
    async with database.session() as session:
        found: Agreement | None = await session.scalar(
            select(Agreement).where(Agreement.application_id == UUID(application))
        )
        return found


@pytest.mark.parametrize("first", ["clinic", "bank"])
async def test_an_agreement_needs_the_yes_of_both(
    joint: Pair, startup: Party, database: Database, first: str
) -> None:
    application = await applied(joint, startup)
    one, two = (joint.clinic, joint.bank) if first == "clinic" else (joint.bank, joint.clinic)
    answer = (await decide(joint, application, one)).json()
    assert (answer["state"], answer["agreement_id"]) == ("submitted", None)
    assert answer["yes_of"] == str(one.organisation.id)
    again = await decide(joint, application, one)
    assert (again.status_code, again.json()["code"]) == (409, "application.yes_already")
    assert await agreement_of(database, application) is None
    assert (await decide(joint, application, joint.rival)).status_code == 404
    answer = (await decide(joint, application, two)).json()
    assert (answer["state"], answer["yes_of"]) == ("accepted", None)
    agreement = await agreement_of(database, application)
    assert agreement is not None
    assert (agreement.owner_id, agreement.partner_id) == (joint.clinic.organisation.id, joint.bank.organisation.id)
    assert agreement.lead_basis_points == 6_000
    async with database.session() as session:
        told = select(Event).where(Event.body["application"].astext == application).order_by(Event.id)
        events = list(await session.scalars(told))
    assert [event.name for event in events] == ["application:apply", "application:agree", "application:accept"]
    assert {len(event.parties) for event in events} == {3}


@pytest.mark.parametrize("decision", ["reject", "return"])
async def test_the_no_of_either_is_the_end_of_it(joint: Pair, startup: Party, decision: str) -> None:
    application = await applied(joint, startup)
    await decide(joint, application, joint.clinic)
    answer = await decide(joint, application, joint.bank, decision)
    assert answer.json()["state"] == {"reject": "rejected", "return": "returned"}[decision]
    late = await decide(joint, application, joint.clinic)
    assert (late.status_code, late.json()["code"]) == (409, "application.wrong_state")


async def test_a_yes_before_new_terms_does_not_count_for_them(joint: Pair, startup: Party) -> None:
    application = await applied(joint, startup)
    await decide(joint, application, joint.clinic)
    await decide(joint, application, joint.bank, "return")
    path = f"/api/v1/applications/{application}/resubmit"
    assert (await joint.client.post(path, token=startup.token, json=TERMS)).status_code == 200
    answer = await decide(joint, application, joint.bank)
    assert (answer.json()["state"], answer.json()["agreement_id"]) == ("submitted", None)


async def test_what_both_grant_is_granted(joint: Pair, startup: Party, database: Database) -> None:
    application = await applied(joint, startup)
    near, far = (utcnow() + timedelta(days=days) for days in (5, 9))
    await decide(joint, application, joint.clinic, expires_at=near.isoformat(), columns=["place", "job", "visits"])
    await decide(joint, application, joint.bank, expires_at=far.isoformat(), columns=["job", "income", "visits"])
    agreement = await agreement_of(database, application)
    assert agreement is not None
    assert agreement.expires_at == near
    assert sorted(agreement.columns) == ["job", "visits"]


@pytest.mark.parametrize("end_by", ["clinic", "bank"])
async def test_either_owner_ends_an_agreement(
    joint: Pair, startup: Party, database: Database, end_by: str
) -> None:
    application = await applied(joint, startup)
    for owner in (joint.clinic, joint.bank):
        await decide(joint, application, owner)
    agreement = await agreement_of(database, application)
    assert agreement is not None
    path, token = f"/api/v1/agreements/{agreement.id}", getattr(joint, end_by).token
    assert (await joint.client.get(path, token=token)).json()["state"] == "in_force"
    assert (await joint.client.get(path, token=joint.rival.token)).status_code == 404
    ended = await joint.client.post(f"{path}/end", token=token, json={"reason": REASON})
    assert ended.json()["state"] == "ended"


async def test_the_end_of_a_linkage_ends_what_stands_on_it(pair: Pair, startup: Party, database: Database) -> None:
    await pair.released()
    application = await applied(pair, startup)
    for owner in (pair.clinic, pair.bank):
        await decide(pair, application, owner)
    async with database.session() as session:
        linkage = (await session.scalars(select(Dataset.linkage_id).where(Dataset.slug == pair.slug))).one()
    await pair.send(str(linkage), pair.clinic, range(150))
    path = f"/api/v1/linkages/{linkage}/end"
    ended = await pair.client.post(path, token=pair.bank.token, json={"reason": REASON})
    assert (ended.json()["state"], ended.json()["contributions"]) == ("ended", [])
    agreement = await agreement_of(database, application)
    assert agreement is not None
    assert agreement.ended_at is not None
    assert (await pair.client.get(f"/api/v1/datasets/{pair.slug}")).status_code == 404
    answer = await pair.client.post(f"/api/v1/datasets/{pair.slug}/applications", token=startup.token, json=TERMS)
    assert answer.status_code == 404
    again = await pair.propose()
    assert again.json()["code"] == "linkage.population_taken"


AT = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def test_what_only_one_limits_is_limited() -> None:
    one = Granted(expires_at=AT, columns=("a",), purpose_judged=True)
    other = Granted(max_rows=5)
    for met in (both(one, other), both(other, one)):
        assert met == Granted(expires_at=AT, columns=("a",), max_rows=5, purpose_judged=False)
