"""Offers in versions: who makes them, who sees them, and which one an agreement keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from marketplace.agreements.models import Agreement
from marketplace.audit.models import Event
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.offers.models import Offer
from tests.marketplace.agreements.conftest import TERMS, Sides
from tests.marketplace.api import Client

DONG = 10**6
CHEAPER = {"name": "standard", "terms": {"per_query_micro": 500 * DONG}}


async def make(client: Client, sides: Sides, body: dict[str, Any], **more: Any) -> dict[str, Any]:
    path = f"/api/v1/datasets/{sides.dataset_id}/offers"
    answer = await client.post(path, json=body, token=sides.tokens["owner steward"], **more)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def listed(client: Client, sides: Sides, token: str | None) -> list[tuple[str, int, str]]:
    answer = await client.get(f"/api/v1/datasets/{sides.dataset_id}/offers", token=token)
    assert answer.status_code == 200
    return [(each["name"], each["number"], each["state"]) for each in answer.json()["items"]]


async def apply(client: Client, sides: Sides, **more: Any) -> Any:
    path = f"/api/v1/datasets/{sides.dataset_id}/applications"
    return await client.post(path, json=TERMS | more, token=sides.tokens["startup admin"])


async def agree(client: Client, sides: Sides, **more: Any) -> dict[str, Any]:
    applied = await apply(client, sides, **more)
    assert applied.status_code == 201, applied.text
    path = f"/api/v1/applications/{applied.json()['id']}/decision"
    accepted = await client.post(path, json={"decision": "accept"}, token=sides.tokens["owner approver"])
    assert accepted.is_success, accepted.text
    found = await client.get(f"/api/v1/agreements/{accepted.json()['agreement_id']}", token=sides.startup.token)
    agreement: dict[str, Any] = found.json()
    return agreement


async def test_only_a_steward_of_its_owner_offers_a_dataset(client: Client, sides: Sides) -> None:
    path = f"/api/v1/datasets/{sides.dataset_id}/offers"
    assert (await client.post(path, json=CHEAPER)).status_code == 401
    for actor, status in (
        ("rival owner", 404),
        ("owner approver", 403),
        ("startup admin", 403),
        ("regulator", 403),
    ):
        answer = await client.post(path, json=CHEAPER, token=sides.tokens[actor])
        assert answer.status_code == status, actor
    made = await make(client, sides, CHEAPER)
    assert (made["name"], made["number"], made["state"]) == ("standard", 2, "open")
    retire = f"/api/v1/offers/{made['id']}/retire"
    assert (await client.post(retire)).status_code == 401
    for actor, status in (("rival owner", 404), ("owner approver", 403), ("startup admin", 403)):
        assert (await client.post(retire, token=sides.tokens[actor])).status_code == status, actor
    assert (await client.post(retire, token=sides.tokens["owner steward"])).json()["state"] == "retired"
    again = await client.post(retire, token=sides.tokens["owner steward"])
    assert (again.status_code, again.json()["code"]) == (409, "offer.retired")


async def test_each_change_is_an_event_and_a_key_makes_one(
    client: Client, database: Database, sides: Sides
) -> None:
    headers = {"Idempotency-Key": str(sides.dataset_id)}
    one, other = [await make(client, sides, CHEAPER, headers=headers) for _ in range(2)]
    assert one["id"] == other["id"]
    await client.post(f"/api/v1/offers/{one['id']}/retire", token=sides.tokens["owner steward"])
    async with database.session() as session:
        rows = select(Event.name, Event.body).where(Event.dataset_id == sides.dataset_id).order_by(Event.id)
        events = (await session.execute(rows)).all()
    assert [event.name for event in events] == ["offer:make", "offer:retire"]
    assert {event.body["offer"] for event in events} == {one["id"]}
    assert events[0].body["terms"] == {"per_query_micro": 500 * DONG}


async def test_an_agreement_keeps_the_version_that_was_applied_for(client: Client, sides: Sides) -> None:
    first = await agree(client, sides)
    assert (first["offer"]["name"], first["offer"]["number"]) == ("standard", 1)
    applied = await apply(client, sides)
    assert applied.json()["offer"] == first["offer"], "the owner sees what was accepted"
    made = await make(client, sides, CHEAPER)
    path = f"/api/v1/agreements/{first['id']}"
    assert (await client.get(path, token=sides.owner.token)).json()["offer"] == first["offer"]
    assert (await agree(client, sides))["offer"]["id"] == made["id"], "a new agreement is made on the newest"
    decided = await client.post(
        f"/api/v1/applications/{applied.json()['id']}/decision",
        json={"decision": "accept"},
        token=sides.tokens["owner approver"],
    )
    late = await client.get(f"/api/v1/agreements/{decided.json()['agreement_id']}", token=sides.startup.token)
    assert late.json()["offer"]["number"] == 1, "both sides saw this price"


async def test_a_private_offer_is_seen_and_taken_by_its_startup_alone(client: Client, sides: Sides) -> None:
    private = CHEAPER | {"name": "for_you", "startup_id": str(sides.startup.organisation.id)}
    made = await make(client, sides, private)
    standard, own = ("standard", 1, "open"), ("for_you", 1, "open")
    assert await listed(client, sides, None) == await listed(client, sides, sides.rival.token) == [standard]
    assert await listed(client, sides, sides.startup.token) == [own, standard]
    assert await listed(client, sides, sides.owner.token) == [own, standard]
    assert (await agree(client, sides))["offer"]["id"] == made["id"], "it is taken where none is named"
    path = f"/api/v1/datasets/{sides.dataset_id}/applications"
    stolen = await client.post(path, json=TERMS | {"offer_id": made["id"]}, token=sides.rival.token)
    assert (stolen.status_code, stolen.json()["code"]) == (409, "offer.not_open")
    public = CHEAPER | {"name": "for_you"}
    answer = await client.post(
        f"/api/v1/datasets/{sides.dataset_id}/offers", json=public, token=sides.tokens["owner steward"]
    )
    assert answer.json()["errors"][0]["code"] == "offer.another_scope"


async def test_an_offer_is_open_from_its_first_instant_until_its_last(
    client: Client, database: Database, sides: Sides
) -> None:
    now = utcnow()
    later = CHEAPER | {"valid_from": (now + timedelta(days=1)).isoformat()}
    short = CHEAPER | {"name": "short", "valid_until": (now + timedelta(days=1)).isoformat()}
    upcoming, made = await make(client, sides, later), await make(client, sides, short)
    assert await listed(client, sides, None) == [
        ("short", 1, "open"), ("standard", 2, "upcoming"), ("standard", 1, "open"),
    ]  # fmt: skip
    refused = await apply(client, sides, offer_id=upcoming["id"])
    assert refused.json()["code"] == "offer.not_open"
    applied = await apply(client, sides, offer_id=made["id"])
    retired = await client.post(f"/api/v1/offers/{made['id']}/retire", token=sides.tokens["owner steward"])
    assert retired.status_code == 200
    decided = await client.post(
        f"/api/v1/applications/{applied.json()['id']}/decision",
        json={"decision": "accept"},
        token=sides.tokens["owner approver"],
    )
    assert (decided.status_code, decided.json()["code"]) == (409, "offer.not_open")
    async with database.session() as session:
        rows = select(Agreement.id).where(Agreement.dataset_id == sides.dataset_id)
        assert (await session.scalars(rows)).all() == []


async def test_without_an_offer_nothing_can_be_applied_for(client: Client, sides: Sides) -> None:
    offers = (await client.get(f"/api/v1/datasets/{sides.dataset_id}/offers")).json()["items"]
    await client.post(f"/api/v1/offers/{offers[0]['id']}/retire", token=sides.tokens["owner steward"])
    refused = await apply(client, sides)
    assert (refused.status_code, refused.json()["code"]) == (409, "offer.none")


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"per_query_micro": 10**15 + 1}, "offer.rate_too_high"),
        ({"per_rho_micro": 1}, "offer.not_in_mode"),
        ({"per_query_micro": 9, "tiers": [{"from_query": 5, "per_query_micro": 9}]}, "offer.tiers_not_falling"),
        ({"trial": {}}, "offer.trial_one"),
        ({"per_row_micro": 1, "cap_month_vnd": 9}, "offer.cap_metered"),
        ({"minimum_month_vnd": 9, "cap_month_vnd": 3, "month_vnd": 5}, "offer.minimum_over_cap"),
        ({"statutory_fee": {"law": "no-such-law", "month_vnd": 5}}, "offer.law_unknown"),
    ],
)
async def test_terms_that_do_not_hold_together_are_refused_in_words(
    client: Client, sides: Sides, terms: dict[str, Any], code: str
) -> None:
    answer = await client.post(
        f"/api/v1/datasets/{sides.dataset_id}/offers",
        json={"name": "odd", "terms": terms},
        token=sides.tokens["owner steward"],
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")
    assert [each["code"] for each in answer.json()["errors"]] == [code]


async def test_the_service_can_change_nothing_of_an_offer_but_retire_it(database: Database, sides: Sides) -> None:
    async with database.session() as session:
        offer: UUID | None = await session.scalar(select(Offer.id).where(Offer.dataset_id == sides.dataset_id))
    for change in ("update offer set terms = '{}' where id = :id", "delete from offer where id = :id"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.session() as session:
                await session.execute(text(change), {"id": offer})
