"""A receipt verifies offline, and with any byte or field of it changed it does not."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.audit.actions import record
from marketplace.audit.canonical import canonical
from marketplace.audit.commitment import commitment
from marketplace.audit.note import VerifierKey, verifier_key
from marketplace.audit.reads import receipt
from marketplace.audit.receipt import Edition, Receipt, encode
from marketplace.audit.verify import verify_receipt
from tests.marketplace.audit.conftest import Log

SQL = "select tuổi, count(*) from adult group by 1"
FACTS = {
    "question": '{"at_ms":1,"schema":"access/1"}',
    "caller": '{"person_id":"an"}',
    "agreement": '{"people":["an"]}',
    "dataset": '{"k":10}',
    "request": '{"max_vnd":5000}',
    "wallet": '{"available_vnd":5}',
}
SECRETS = {"sql": SQL} | FACTS
PARTIES = (uuid4(), uuid4())


async def settle(log: Log, query_id: UUID) -> None:
    async with log.database.session() as session:
        await record(
            session,
            "query:settle",
            actor_person_id=uuid4(),
            actor_organisation_id=PARTIES[0],
            parties=PARTIES,
            dataset_id=uuid4(),
            agreement_id=uuid4(),
            query_id=query_id,
            purpose="research.academic",
            version_id="ab" * 32,
            revision=2,
            bytes=123_456,
            price_vnd=1_234,
            body={
                "decision": {"allow": True, "obligations": {"epsilon": 0.5, "mode": "rows"}},
                "usage": {"cpu_us": 77, "rows": 9},
                "columns": ["tuổi"],
                "outcome": "ready",
                "result_sha256": "cd" * 32,
            },
            secrets=SECRETS,
        )


async def receipt_of(log: Log, edition: Edition = "startup", secrets: dict[str, str] = SECRETS) -> Receipt:
    query_id = uuid4()
    for n in range(5):
        async with log.database.session() as session:
            await record(session, "test:event", body={"n": n})
    await settle(log, query_id)
    await log.sequence()
    async with log.database.session() as session:
        found = await receipt(session, query_id, edition=edition, secrets=secrets)
    assert found is not None
    return found


async def test_a_receipt_waits_for_its_leaf(log: Log) -> None:
    query_id = uuid4()
    await settle(log, query_id)
    async with log.database.session() as session:
        assert await receipt(session, query_id, edition="startup", secrets=SECRETS) is None
    await log.sequence()
    async with log.database.session() as session:
        assert await receipt(session, query_id, edition="startup", secrets=SECRETS) is not None


async def test_a_receipt_tells_what_was_decided_used_and_paid(log: Log) -> None:
    told = await receipt_of(log)
    assert (told.price_vnd, told.outcome, told.purpose, told.revision) == (1_234, "ready", "research.academic", 2)
    assert told.usage == {"cpu_us": 77, "rows": 9}
    assert told.decision is not None
    assert told.decision["allow"] is True
    assert (told.columns, told.result_sha256, told.version_id) == (("tuổi",), "cd" * 32, "ab" * 32)


@pytest.mark.parametrize(
    ("edition", "closed"),
    [
        ("startup", {"dataset"}),
        ("owner", {"sql", "caller", "agreement", "request", "wallet"}),
        ("regulator", set()),
    ],
)
async def test_each_edition_opens_only_its_own_and_verifies(log: Log, edition: Edition, closed: set[str]) -> None:
    told = await receipt_of(log, edition)
    data = encode(told)
    assert {name: opening.text for name, opening in told.opened.items()} == {
        name: text for name, text in SECRETS.items() if name not in closed
    }
    assert told.commitments.keys() == SECRETS.keys()
    shown = json.dumps(json.loads(data), ensure_ascii=False)
    assert not any(json.dumps(SECRETS[name], ensure_ascii=False) in shown for name in closed)
    verification = verify_receipt(data, log.key)
    assert verification.ok, verification.checks


@pytest.mark.parametrize("name", SECRETS)
async def test_what_stays_closed_cannot_be_tried_out(log: Log, name: str) -> None:
    """Who guesses the very text still needs its salt: none of the 16-byte strings in the receipt is it."""
    owner, regulator = await receipt_of(log, "owner"), await receipt_of(log, "regulator")
    assert (
        commitment(bytes.fromhex(regulator.opened[name].salt), SECRETS[name]).hex() == regulator.commitments[name]
    )
    if name in owner.opened:
        return
    shown = {bytes.fromhex(each) for each in re.findall(r"(?=([0-9a-f]{32}))", encode(owner).decode())} | {b""}
    assert not any(commitment(salt, SECRETS[name]).hex() == owner.commitments[name] for salt in shown)
    assert owner.commitments[name] != regulator.commitments[name], "one salt for two events"


async def test_a_secret_whose_salt_was_erased_stays_closed_and_the_receipt_still_verifies(log: Log) -> None:
    query_id = uuid4()
    await settle(log, query_id)
    await log.sequence()
    log.tamper("UPDATE event_salt SET secrets = secrets - 'sql' WHERE secrets <> '{}'")
    async with log.database.session() as session:
        told = await receipt(session, query_id, edition="regulator", secrets=SECRETS)
    assert told is not None
    assert told.opened.keys() == FACTS.keys()
    assert verify_receipt(encode(told), log.key).ok


async def test_a_receipt_of_another_log_or_another_key_does_not_verify(log: Log) -> None:
    data = encode(await receipt_of(log))
    other_key = verifier_key(log.config.log_origin, Ed25519PrivateKey.generate())
    other_name = VerifierKey("another.example/log", log.key.public)
    for key in (other_key, other_name):
        verification = verify_receipt(data, key)
        assert {check.name for check in verification.checks if not check.ok} == {"signature", "inclusion"}


async def test_a_secret_replaced_by_another_text_is_found(log: Log) -> None:
    told = await receipt_of(log, secrets=SECRETS | {"sql": "select 1"})
    verification = verify_receipt(encode(told), log.key)
    assert [check.name for check in verification.checks if not check.ok] == ["secret:sql"]


@pytest.fixture(scope="session")
async def sample(log_server: Log) -> tuple[bytes, VerifierKey]:
    data = encode(await receipt_of(log_server))
    assert verify_receipt(data, log_server.key).ok
    return data, log_server.key


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_is_found(sample: tuple[bytes, VerifierKey], data: st.DataObject) -> None:
    receipt_json, key = sample
    at = data.draw(st.integers(0, len(receipt_json) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda byte: byte != receipt_json[at]))
    changed = receipt_json[:at] + bytes([value]) + receipt_json[at + 1 :]
    assert not verify_receipt(changed, key).ok


def paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every leaf of a JSON document."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path for key, each in pairs for path in paths(each, (*above, key))] or [above]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_or_removed_field_is_found(sample: tuple[bytes, VerifierKey], data: st.DataObject) -> None:
    receipt_json, key = sample
    document = json.loads(receipt_json)
    *above, last = data.draw(st.sampled_from(paths(document)))
    place = document
    for step in above:
        place = place[step]
    before = place[last]
    values = (
        st.none() | st.booleans() | st.integers(-5, 5) | st.floats(0, 1) | st.text(max_size=4) | st.just("0.5")
    )
    value = data.draw(values.filter(lambda each: each != before or type(each) is not type(before)))
    if data.draw(st.booleans()):
        place[last] = value
    else:
        del place[last]
    assert not verify_receipt(canonical_json(document), key).ok


def canonical_json(document: Any) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_what_a_verifier_elsewhere_would_write_is_what_we_commit_to(sample: tuple[bytes, VerifierKey]) -> None:
    """docs/verify.md: plain json.dumps of the event gives the bytes under the commitment."""
    document = json.loads(sample[0])
    assert canonical_json(document["event"]) == canonical(document["event"])


def test_spaces_and_order_do_not_matter_but_a_key_twice_does(sample: tuple[bytes, VerifierKey]) -> None:
    receipt_json, key = sample
    document = json.loads(receipt_json)
    assert verify_receipt(json.dumps(document, indent=2).encode(), key).ok
    twice = receipt_json.replace(b'"price_vnd":1234', b'"price_vnd":1,"price_vnd":1234', 1)
    assert twice != receipt_json
    assert not verify_receipt(twice, key).ok


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"version": 2}', b" " * 5_000_000])
def test_what_is_no_receipt_is_refused_in_words(data: bytes, sample: tuple[bytes, VerifierKey]) -> None:
    verification = verify_receipt(data, sample[1])
    assert not verification.ok
    assert [check.name for check in verification.checks] == ["form"]
    assert verification.checks[0].detail
