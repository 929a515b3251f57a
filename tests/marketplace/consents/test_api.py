"""`POST /consents/events`: anonymous, wrong tenant, wrong role, right."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from httpx import Response

from marketplace.consents.api import handlers
from marketplace.consents.reads import excluded
from marketplace.db.engine import Database
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.consents.conftest import PEOPLE, PURPOSES, Listed
from tests.marketplace.parties import Make

PATH = "/api/v1/consents/events"


@pytest.fixture
async def client(client_for: ClientFor, listed: Listed) -> AsyncIterator[Client]:
    async with client_for(*handlers, store=listed.store, keys=listed.keys) as client:
        yield client


def body(listed: Listed, **more: Any) -> dict[str, Any]:
    said = {
        "dataset_id": str(listed.dataset_id),
        "subject": PEOPLE[13],
        "purpose": PURPOSES[0],
        "event": "withdrawn",
        "at": "2026-01-31T08:00:00+07:00",
    }
    return said | more


async def post(client: Client, listed: Listed, token: str | None, **more: Any) -> Response:
    return await client.post(PATH, token=token, json=body(listed, **more))


async def test_the_anonymous_record_nothing(client: Client, listed: Listed) -> None:
    assert (await post(client, listed, None)).status_code == 401


async def test_another_owner_finds_no_such_dataset(
    client: Client, listed: Listed, database: Database, make: Make
) -> None:
    other = await make.party(database, kind="owner")
    assert (await post(client, listed, other.token)).status_code == 404
    assert (await post(client, listed, other.token, dataset_id=str(uuid4()))).status_code == 404


@pytest.mark.parametrize("kind", ["startup", "regulator", "operator"])
async def test_only_owners_record_consent(
    client: Client, listed: Listed, database: Database, make: Make, kind: str
) -> None:
    party = await make.party(database, kind=kind)
    assert (await post(client, listed, party.token)).status_code == 403


async def test_a_token_without_the_scope_records_nothing(
    client: Client, listed: Listed, database: Database, make: Make
) -> None:
    async with database.session() as session:
        token = await make.token(session, listed.owner.person, scopes=["read", "publish"])
    answer = await post(client, listed, token)
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.scope_missing")


async def test_the_owner_records_a_withdrawal_and_gets_a_receipt_at_once(
    client: Client, listed: Listed, database: Database
) -> None:
    answer = await post(client, listed, listed.owner.token)
    assert answer.status_code == 201
    receipt = answer.json()
    assert set(receipt) == {
        "id", "dataset_id", "purpose", "event", "at", "expires_at", "notice_sha256", "recorded_at",
    }  # fmt: skip
    assert receipt["at"] == 1769821200000
    async with database.session() as session:
        assert await excluded(session, listed.version_id, PURPOSES[0]) == (frozenset({1}), 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"at": "2026-01-31T08:00:00"},
        {"event": "expired"},
        {"expires_at": "2027-01-01T00:00:00"},
        {"notice_sha256": "00"},
        {"notice_language": "Vietnamese"},
        {"method": "telepathy"},
        {"jurisdiction": "Việt Nam"},
        {"evidence": ""},
        {"subject": 790000000013},
        {"subject": None},
        {"dataset_id": "x"},
        {"more": 1},
    ],
)
async def test_a_wrong_body_is_refused_without_repeating_the_subject(
    client: Client, listed: Listed, caplog: pytest.LogCaptureFixture, wrong: dict[str, Any]
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = await post(client, listed, listed.owner.token, **wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")
    assert PEOPLE[13] not in answer.text
    assert PEOPLE[13] not in caplog.text


@pytest.mark.parametrize("wrong", [{"purpose": "model.training"}, {"at": "2999-01-01T00:00:00Z"}])
async def test_a_refusal_names_no_person(client: Client, listed: Listed, wrong: dict[str, Any]) -> None:
    answer = await post(client, listed, listed.owner.token, **wrong)
    assert answer.status_code == 422
    assert PEOPLE[13] not in answer.text


async def test_the_same_idempotency_key_is_one_event(client: Client, listed: Listed, database: Database) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    answers = [
        await client.post(PATH, token=listed.owner.token, json=body(listed), headers=headers) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    other = await client.post(
        PATH, token=listed.owner.token, json=body(listed, subject=PEOPLE[14]), headers=headers
    )
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.key_reused")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+14:00", "1899-12-31T23:59:59Z"])
@pytest.mark.parametrize("event", ["given", "withdrawn"])
async def test_nothing_was_said_before_the_register_can_hold_it(
    client: Client, listed: Listed, at: str, event: str
) -> None:
    answer = await post(client, listed, listed.owner.token, at=at, event=event)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")
    assert answer.json()["errors"][0]["path"] == "at"
