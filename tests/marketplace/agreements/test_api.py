"""Reading applications and agreements, and applying once however often it is sent."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import Any

import pytest

from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from tests.marketplace.agreements.conftest import TERMS, Sides, open_sides
from tests.marketplace.api import Client
from tests.marketplace.parties import Make


@pytest.mark.parametrize("kind", ["applications", "agreements"])
async def test_only_the_two_sides_read(client: Client, database: Database, sides: Sides, kind: str) -> None:
    made = await (sides.application(database) if kind == "applications" else sides.agreement(database))
    one, many = f"/api/v1/{kind}/{made}", f"/api/v1/{kind}"
    assert (await client.get(one)).status_code == (await client.get(many)).status_code == 401
    for actor in ("rival startup", "rival owner"):
        assert (await client.get(one, token=sides.tokens[actor])).status_code == 404
        listed = await client.get(many, token=sides.tokens[actor])
        assert str(made) not in {item["id"] for item in listed.json()["items"]}
    for actor in ("regulator", "operator"):
        assert (await client.get(one, token=sides.tokens[actor])).status_code == 403
        assert (await client.get(many, token=sides.tokens[actor])).status_code == 403
    for actor in ("startup analyst", "startup admin", "owner steward", "owner approver"):
        assert (await client.get(one, token=sides.tokens[actor])).json()["id"] == str(made)
        listed = await client.get(many, token=sides.tokens[actor])
        assert listed.json()["items"][0]["id"] == str(made)


async def test_an_agreement_is_odrl_for_its_two_sides(client: Client, database: Database, sides: Sides) -> None:
    path = f"/api/v1/agreements/{await sides.agreement(database)}/odrl"
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, token=sides.tokens["rival startup"])).status_code == 404
    assert (await client.get(path, token=sides.tokens["regulator"])).status_code == 403
    for actor in ("startup analyst", "owner approver"):
        answer = await client.get(path, token=sides.tokens[actor])
        assert answer.headers["Content-Type"] == "application/ld+json"
        document = answer.json()
        assert (document["@context"], document["@type"]) == ("http://www.w3.org/ns/odrl.jsonld", "Agreement")
        (permission,) = document["permission"]
        assert permission["target"]["refinement"][0]["rightOperand"] == ["sex"]
        assert document["assignee"]["source"] == f"urn:sandulieu:organisation:{sides.startup.organisation.id}"


async def test_pages_follow_each_other_without_gap_or_repeat(
    client: Client, database: Database, sides: Sides
) -> None:
    for _ in range(60):
        await sides.application(database, state="withdrawn")
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = f"?state=withdrawn&cursor={cursor}" if cursor else "?state=withdrawn"
        page = (await client.get(f"/api/v1/applications{query}", token=sides.startup.token)).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next"]
    assert len(seen) == len(set(seen)) >= 60
    assert seen == sorted(seen, reverse=True)


async def test_a_foreign_cursor_is_refused(client: Client, sides: Sides) -> None:
    for cursor in ("x", "AAAA", "WzFd", "🦆"):
        answer = await client.get(f"/api/v1/agreements?cursor={cursor}", token=sides.startup.token)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "request.cursor")


async def test_an_idempotency_key_applies_once(client: Client, apart: Sides) -> None:
    path, key = f"/api/v1/datasets/{apart.dataset_id}/applications", secrets.token_hex(8)
    headers = {"Idempotency-Key": key}

    async def send(**changed: object) -> tuple[int, str]:
        answer = await client.post(path, token=apart.startup.token, headers=headers, json={**TERMS, **changed})
        return answer.status_code, answer.json().get("id") or answer.json()["code"]

    answers = await asyncio.gather(*(send() for _ in range(4)))
    assert len(set(answers)) == 1
    assert answers[0][0] == 201
    assert await send(duration_days=3) == (409, "idempotency.key_reused")
    rival = await client.post(path, token=apart.rival.token, headers=headers, json=TERMS)
    assert rival.status_code == 201
    assert rival.json()["id"] != answers[0][1]


async def test_of_two_open_applications_for_the_same_the_second_is_told_of_the_first(
    client: Client, database: Database, make: Make
) -> None:
    """Sent at once, as a double click does; other people, and what was withdrawn, are another matter."""
    sides = await open_sides(database)
    path = f"/api/v1/datasets/{sides.dataset_id}/applications"
    async with database.session() as session:
        colleague = await make.person(session, sides.startup.organisation, roles=["analyst"])

    async def send(**changed: object) -> tuple[int, dict[str, Any]]:
        answer = await client.post(path, token=sides.startup.token, json={**TERMS, **changed})
        return answer.status_code, answer.json()

    sent = await asyncio.gather(*(send() for _ in range(4)))
    assert sorted(status for status, _ in sent) == [201, 409, 409, 409]
    (first,) = [body["id"] for status, body in sent if status == 201]
    for body in (body for status, body in sent if status == 409):
        assert (body["code"], body["params"]) == ("application.open_already", {"application_id": first})
        assert first in body["next"]
    assert (await send(people=[str(sides.startup.person.id), str(colleague.id)]))[0] == 201
    gone = await client.post(f"/api/v1/applications/{first}/withdraw", token=sides.startup.token, json={})
    assert gone.status_code == 200
    assert (await send())[0] == 201


async def test_one_that_was_returned_and_comes_back_the_same_as_another_is_told_of_it(
    client: Client, database: Database
) -> None:
    sides = await open_sides(database)
    path = f"/api/v1/datasets/{sides.dataset_id}/applications"
    place = {**TERMS, "promises": {"place": "Hà Nội"}}
    made = [await client.post(path, token=sides.startup.token, json=terms) for terms in (TERMS, place)]
    first, other = (each.json()["id"] for each in made)
    back = {"decision": "return", "reason": "Cần rõ hơn."}
    answer = await client.post(f"/api/v1/applications/{other}/decision", token=sides.owner.token, json=back)
    assert answer.status_code == 200
    again = f"/api/v1/applications/{other}/resubmit"
    same = await client.post(again, token=sides.startup.token, json=TERMS)
    assert (same.status_code, same.json()["code"]) == (409, "application.open_already")
    assert same.json()["params"] == {"application_id": first}
    assert (await client.post(again, token=sides.startup.token, json=place)).status_code == 200


async def test_the_story_by_slug_with_the_six_clear(client: Client, apart: Sides) -> None:
    dataset = (await client.post(f"/api/v1/datasets/{apart.dataset_id}/applications", token=apart.rival.token,
                                 json=TERMS)).json()["dataset_slug"]  # fmt: skip
    applied = (
        await client.post(f"/api/v1/datasets/{dataset}/applications", token=apart.startup.token, json=TERMS)
    ).json()
    assert applied["people"] == [{"id": str(apart.startup.person.id), "name": apart.startup.person.name}]
    assert applied["six_clear"]["authority"] == apart.owner.organisation.name
    expires_at = (utcnow() + timedelta(days=5)).isoformat()
    decision = {"decision": "accept", "reason": "Phù hợp.", "expires_at": expires_at}
    accepted = (
        await client.post(f"/api/v1/applications/{applied['id']}/decision", token=apart.owner.token, json=decision)
    ).json()
    assert accepted["state"] == "accepted"
    assert accepted["six_clear"]["authority"].startswith(apart.owner.person.name)
    agreement = (
        await client.get(f"/api/v1/agreements/{accepted['agreement_id']}", token=apart.startup.token)
    ).json()
    assert (agreement["state"], agreement["dataset_slug"]) == ("in_force", dataset)
    assert set(agreement["six_clear"]) == {"who", "what", "when", "responsibility", "product", "authority"}


async def test_wrong_terms_come_back_with_words_in_the_language_asked_for(client: Client, sides: Sides) -> None:
    path = f"/api/v1/datasets/{sides.dataset_id}/applications"
    wrong = {**TERMS, "duration_days": 1096, "purpose": "trial.quality"}
    answer = await client.post(path, token=sides.startup.token, json=wrong, headers={"Accept-Language": "en"})
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["decision"]["allow"]) == (
        403,
        "application.denied",
        False,
    )
    told = {reason["code"]: reason["message"]["what"] for reason in problem["reasons"]}
    assert told == {
        "duration.out_of_bounds": "The duration of 1,096 days is out of bounds: 1 to 1,095 days.",
        "purpose.not_allowed": "The current version does not allow the purpose Trial of quality (trial.quality).",
    }


async def test_an_unknown_dataset_cannot_be_applied_for(client: Client, sides: Sides) -> None:
    for name in ("no_such_dataset", sides.startup.organisation.id):
        answer = await client.post(f"/api/v1/datasets/{name}/applications", token=sides.startup.token, json=TERMS)
        assert answer.status_code == 404


async def test_a_token_without_the_scope_agrees_to_nothing(
    client: Client, database: Database, sides: Sides
) -> None:
    async with database.session() as session:
        token = await Make().token(session, sides.startup.person, scopes=("read",))
    answer = await client.post(f"/api/v1/datasets/{sides.dataset_id}/applications", token=token, json=TERMS)
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.scope_missing")


async def test_a_suspended_startup_cannot_apply_but_can_end(client: Client, database: Database) -> None:
    sides = await open_sides(database)
    agreement_id = await sides.agreement(database)
    async with database.session() as session:
        startup = await session.merge(sides.startup.organisation)
        startup.suspended_at = utcnow()
    path = f"/api/v1/datasets/{sides.dataset_id}/applications"
    applied = await client.post(path, token=sides.startup.token, json=TERMS)
    assert (applied.status_code, applied.json()["reasons"][0]["code"]) == (403, "applicant.suspended")
    body = {"reason": "Dừng dùng."}
    ended = await client.post(f"/api/v1/agreements/{agreement_id}/end", token=sides.startup.token, json=body)
    assert ended.json()["state"] == "ended"
