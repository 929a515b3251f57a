"""The log over HTTP: anonymous, wrong tenant, wrong role, right; and the part that is for everybody."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from marketplace.audit import actions, api, tree
from marketplace.audit.actions import record
from marketplace.audit.canonical import canonical
from marketplace.audit.commitment import commitment
from marketplace.audit.reads import EVENT_FIELDS
from marketplace.audit.sequencer import sequence_once
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.oversight import api as oversight
from marketplace.verifier.note import open_checkpoint, parse_key
from marketplace.verifier.tree import verify_consistency, verify_inclusion
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.audit.bodies import settled
from tests.marketplace.parties import Make, Party

EVENTS = "/api/v1/audit/events"


@pytest.fixture
def keys(config: Config) -> Keys:
    return Keys(config.path("keys"))


@pytest.fixture
async def client(client_for: ClientFor, keys: Keys) -> AsyncIterator[Client]:
    async with client_for(*api.handlers, *oversight.handlers, keys=keys) as client:
        yield client


class Story:
    """One query of a startup on an owner's dataset, and who else there is."""

    def __init__(self, startup: Party, owner: Party, stranger: Party, dataset_id: UUID, event_id: UUID) -> None:
        self.startup, self.owner, self.stranger = startup, owner, stranger
        self.dataset_id, self.event_id = dataset_id, event_id


@pytest.fixture
async def story(database: Database, make: Make) -> Story:
    startup, owner = await make.party(database), await make.party(database, kind="owner")
    stranger = await make.party(database)
    dataset_id = uuid4()
    async with database.session() as session:
        event_id = await record(
            session,
            "query:settle",
            actor_person_id=startup.person.id,
            actor_organisation_id=startup.organisation.id,
            parties=[startup.organisation.id, owner.organisation.id],
            dataset_id=dataset_id,
            query_id=uuid4(),
            price_vnd=1_000,
            body=settled(columns=["tuổi"]),
        )
    return Story(startup, owner, stranger, dataset_id, event_id)


async def seen(client: Client, token: str, **query: Any) -> list[dict[str, Any]]:
    answer = await client.get(EVENTS, token=token, params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_events_are_not_for_the_anonymous(client: Client) -> None:
    assert (await client.get(EVENTS)).status_code == 401


async def test_another_tenant_sees_nothing_of_them(client: Client, story: Story) -> None:
    assert await seen(client, story.stranger.token) == []
    assert await seen(client, story.stranger.token, dataset_id=str(story.dataset_id)) == []
    assert await seen(client, story.stranger.token, organisation=str(story.owner.organisation.id)) == []


async def test_a_regulator_without_the_reader_role_sees_nothing(
    client: Client, story: Story, database: Database, make: Make
) -> None:
    clerk = await make.party(database, kind="regulator", roles=[])
    assert (await client.get(EVENTS, token=clerk.token)).status_code == 403


async def test_a_token_without_the_scope_sees_nothing(client: Client, database: Database, make: Make) -> None:
    startup = await make.party(database, scopes=["read", "query"])
    answer = await client.get(EVENTS, token=startup.token)
    assert (answer.status_code, answer.json()["code"]) == (403, "auth.scope_missing")


async def test_both_parties_see_their_event_and_can_open_its_commitment(client: Client, story: Story) -> None:
    for party in (story.startup, story.owner):
        (event,) = await seen(client, party.token)
        assert event["id"] == str(story.event_id)
        opened = {name: event[name] for name in EVENT_FIELDS}
        assert commitment(bytes.fromhex(event["salt"]), canonical(opened)).hex() == event["commitment"]


async def test_the_operator_sees_that_something_happened_but_no_body_and_no_salt(
    client: Client, story: Story, database: Database, make: Make
) -> None:
    operator = await make.party(database, kind="operator")
    (event,) = await seen(client, operator.token, dataset_id=str(story.dataset_id))
    assert (event["body"], event["salt"], event["name"]) == (None, None, "query:settle")


async def test_the_regulator_sees_all_and_its_reading_is_logged(
    client: Client, story: Story, database: Database, make: Make
) -> None:
    regulator = await make.party(database, kind="regulator")
    (event,) = await seen(client, regulator.token, dataset_id=str(story.dataset_id), name="query:settle")
    assert event["body"]["columns"] == ["tuổi"]
    (read,) = await seen(client, regulator.token, organisation=str(regulator.organisation.id), name="log:read")
    assert read["actor_person_id"] == str(regulator.person.id)
    assert read["body"]["filter"]["dataset_id"] == str(story.dataset_id)
    assert read["body"]["events"] == 1


async def test_events_filter_by_time_and_page_without_gap_or_repeat(
    client: Client, database: Database, make: Make
) -> None:
    startup = await make.party(database)
    async with database.session() as session:
        ids = [await record(session, "test:event", parties=[startup.organisation.id]) for _ in range(5)]
    collected: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    for _ in range(3):
        answer = (await client.get(EVENTS, token=startup.token, params=query)).json()
        collected += [item["id"] for item in answer["items"]]
        query["cursor"] = answer["next"]
    assert query["cursor"] is None
    assert sorted(collected) == sorted(map(str, ids))
    now = datetime.now(UTC).isoformat()
    assert await seen(client, startup.token, **{"from": now}) == []
    assert len(await seen(client, startup.token, to=now)) == 5


async def test_days_are_viet_nams_and_both_are_included(
    client: Client, database: Database, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    startup = await make.party(database)
    ids = {}
    for hour, day in ((16, 26), (17, 27), (16, 28), (17, 28)):  # an hour before midnight there, and midnight
        at = datetime(2026, 1, day - (hour == 17), hour, tzinfo=UTC)
        monkeypatch.setattr(actions, "utcnow", partial(lambda at: at, at))
        async with database.session() as session:
            ids[hour, day] = str(await record(session, "test:event", parties=[startup.organisation.id]))
    found = await seen(client, startup.token, **{"from": "2026-01-27", "to": "2026-01-27"})
    assert {each["id"] for each in found} == {ids[17, 27]}
    assert len(await seen(client, startup.token, **{"from": "2026-01-26", "to": "2026-01-28"})) == 4
    assert len(await seen(client, startup.token, **{"from": "2026-01-28"})) == 2


async def test_the_name_of_no_event_is_refused_with_the_nearest(client: Client, story: Story) -> None:
    answer = await client.get(EVENTS, token=story.startup.token, params={"name": "query:setle"})
    (wrong,) = answer.json()["errors"]
    assert (answer.status_code, wrong["path"], wrong["code"]) == (400, "name", "search.unknown_event")
    assert wrong["params"]["use"].split(", ")[0] == "query:settle"


async def test_each_filter_alone_leaves_out_what_differs(client: Client, database: Database, make: Make) -> None:
    startup = await make.party(database)
    decision = {"allow": False, "reasons": [{"code": "money.short"}]}
    agreement_id, person_id = uuid4(), uuid4()
    async with database.session() as session:
        event_id = await record(
            session, "query:settle", parties=[startup.organisation.id], actor_person_id=person_id, price_vnd=500,
            agreement_id=agreement_id, purpose="product.rnd",
            body=settled(decision=decision, columns=["Hộ nghèo"]),
        )  # fmt: skip
        await record(session, "test:event", parties=[startup.organisation.id])
    fits = {
        "agreement_id": agreement_id, "person": person_id, "purpose": "product.rnd", "decision": "deny",
        "code": "money.short", "min_vnd": 500, "max_vnd": 500, "q": "NGHEO ho",
    }  # fmt: skip
    for name, value in fits.items():
        assert [e["id"] for e in await seen(client, startup.token, **{name: str(value)})] == [str(event_id)], name
    misses = {"agreement_id": uuid4(), "decision": "allow", "min_vnd": 501, "q": "ngheox", "state_class": "core"}
    for name, value in misses.items():
        assert await seen(client, startup.token, **{name: str(value)}) == [], name


@pytest.mark.parametrize(
    "query",
    [{"cursor": "x"}, {"from": "2026-01-01T00:00:00"}, {"to": "2026-02-30"}, {"from": "hôm qua"},
     {"from": "0001-01-01"}, {"name": "x" * 200}, {"limit": 0}, {"limit": 501}],
)  # fmt: skip
async def test_a_wrong_question_is_told_what_is_wrong(client: Client, story: Story, query: dict[str, Any]) -> None:
    answer = await client.get(EVENTS, token=story.startup.token, params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")


async def test_completeness_is_for_the_owners_of_the_dataset(
    client: Client, story: Story, database: Database, keys: Keys, config: Config
) -> None:
    path = f"/api/v1/audit/completeness/{story.dataset_id}"
    await sequence_once(database, keys, config)
    assert (await client.get(path)).status_code == 401
    assert (await client.get(path, token=story.stranger.token)).status_code == 404
    assert (await client.get(path, token=story.startup.token)).status_code == 404
    told = (await client.get(path, token=story.owner.token)).json()
    key = bytes.fromhex(told.pop("chain_key"))
    assert told == {"leaves": 1, "newest": 0, "wrong": []}
    (event,) = await seen(client, story.owner.token)
    assert (event["dataset_counter"], event["dataset_previous"]) == (0, None)
    assert event["link"] == hmac.new(key, b'{"n":0,"p":null}', "sha256").hexdigest()
    (event,) = await seen(client, story.startup.token)
    assert (event["dataset_counter"], event["dataset_previous"]) == (None, None)


async def test_everybody_can_follow_the_log_with_nothing_but_the_key(
    client: Client, story: Story, database: Database, keys: Keys, config: Config
) -> None:
    await sequence_once(database, keys, config)
    (event,) = await seen(client, story.startup.token)
    head = await _head(client)
    proof = (await client.get("/api/v1/audit/proof", params={"leaf": event["leaf_index"]})).json()
    entries = await _entries(client, head.size)
    leaf = tree.leaf_hash(entries[event["leaf_index"]])
    hashes = [bytes.fromhex(each) for each in proof["hashes"]]
    assert verify_inclusion(leaf, event["leaf_index"], head.size, hashes, head.root)
    assert event["commitment"].encode() in entries[event["leaf_index"]]


async def test_two_heads_are_consistent(
    client: Client, story: Story, database: Database, keys: Keys, config: Config
) -> None:
    await sequence_once(database, keys, config)
    first = await _head(client)
    async with database.session() as session:
        await record(session, "test:event")
    await sequence_once(database, keys, config)
    second = await _head(client)
    answer = await client.get("/api/v1/audit/consistency", params={"first": first.size})
    hashes = [bytes.fromhex(each) for each in answer.json()["hashes"]]
    assert verify_consistency(first.size, second.size, first.root, second.root, hashes)


@pytest.mark.parametrize(
    "path", ["proof?leaf=-1", "proof?leaf=99999999", "consistency?first=0", "proof?leaf=0&size=0"]
)
async def test_a_proof_of_what_is_not_there_says_how_long_the_log_is(client: Client, path: str) -> None:
    answer = await client.get(f"/api/v1/audit/{path}")
    assert (answer.status_code, answer.json()["code"]) == (400, "log.outside")


async def test_no_tile_beyond_the_log(client: Client) -> None:
    for path in ("0/999", "entries/999", "0/x001/000", "nonsense", "0/000/..%2f000", "9/000"):
        assert (await client.get(f"/api/v1/audit/tile/{path}")).status_code == 404, path


async def _head(client: Client) -> Any:
    key = parse_key((await client.get("/api/v1/audit/key")).text)
    answer = await client.get("/api/v1/audit/checkpoint")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    return open_checkpoint(answer.text, key)


async def _entries(client: Client, size: int) -> list[bytes]:
    found: list[bytes] = []
    for start in range(0, size, 256):
        width = min(256, size - start)
        path = f"/api/v1/audit/tile/entries/{start // 256:03}" + ("" if width == 256 else f".p/{width}")
        data = (await client.get(path)).content
        while data:
            length = int.from_bytes(data[:2], "big")
            found, data = [*found, data[2 : 2 + length]], data[2 + length :]
    return found
