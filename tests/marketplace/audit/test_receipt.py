"""A receipt verifies offline, and with any byte or field of it changed it does not."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.audit.actions import record
from marketplace.audit.canonical import canonical
from marketplace.audit.errors import SettlementDiffers
from marketplace.audit.facttree import FactTree, Opened, grow
from marketplace.audit.note import verifier_key
from marketplace.audit.receipt import Edition, Receipt, encode
from marketplace.audit.receipts import receipt
from marketplace.audit.sealing import seal, told
from marketplace.audit.verify import verify_receipt
from marketplace.db.together import perform
from marketplace.verifier.note import VerifierKey
from policies.decision import Decision, Obligations
from tests.examples import tried
from tests.marketplace.audit.bodies import SPENT, USAGE, settled, spent, use
from tests.marketplace.audit.conftest import Log, empty
from tests.policies.cases import question

SQL = "select tuổi, count(*) from adult group by 1"
ASKED = question("rows", {})
PARTIES = (uuid4(), uuid4())
DATASET = uuid4()
DECISION = Decision(
    allow=True, reasons=(), policy_revision="r", engine="opa-wasm", facts_hash="ab", valid_until=1,
    obligations=Obligations(mode="rows", columns=("age",), k_min=10, max_rows=5, max_bytes=9, expires_at=2,
                            recheck_after=1, epsilon=0.5),
)  # fmt: skip
TREE = grow(ASKED, SQL)
FACTS = TREE.values
HIDDEN = {
    "startup": {"request.beside"} | {name for name in FACTS if name.startswith("dataset.")},
    "owner": {name for name in FACTS if name.startswith(("sql", "caller.", "wallet.", "request."))}
    - {"request.purpose", "request.columns"},
    "regulator": set[str](),
}  # fmt: skip


async def settle(log: Log, query_id: UUID, tree: FactTree = TREE) -> None:
    """The decision on `tree` is kept, and settled as one on TREE."""
    async with log.database.session() as session:
        await perform(session, seal(log.keys, decision_id=query_id, tree=tree, decision=DECISION).stored)
        await use(session, query_id=query_id, dataset_id=DATASET)
        await record(
            session,
            "query:settle",
            actor_person_id=uuid4(),
            actor_organisation_id=PARTIES[0],
            parties=PARTIES,
            dataset_id=DATASET,
            agreement_id=uuid4(),
            query_id=query_id,
            purpose="research.academic",
            version_id="ab" * 32,
            revision=2,
            bytes=123_456,
            price_vnd=1_234,
            body=settled(
                decision_id=query_id,
                decision=told(DECISION),
                facts=TREE.head,
                columns=["tuổi"],
                failure=None,
                settled=spent(tree.seed),
            ),
        )


async def receipt_of(log: Log, edition: Edition = "startup", tree: FactTree = TREE) -> Receipt:
    query_id = uuid4()
    for n in range(5):
        async with log.database.session() as session:
            await record(session, "test:event", body={"n": n})
    await settle(log, query_id, tree)
    await log.sequence()
    async with log.database.session() as session:
        found = await receipt(session, log.keys, query_id, edition=edition)
    assert found is not None
    return found


async def test_a_receipt_waits_for_its_leaf(log: Log) -> None:
    query_id = uuid4()
    await settle(log, query_id)
    async with log.database.session() as session:
        assert await receipt(session, log.keys, query_id, edition="startup") is None
    await log.sequence()
    async with log.database.session() as session:
        assert await receipt(session, log.keys, query_id, edition="startup") is not None


async def test_a_receipt_waits_until_a_tree_with_its_leaf_is_shown(log: Log) -> None:
    await receipt_of(log)
    query_id = uuid4()
    await settle(log, query_id)
    await log.sequence()
    log.tamper("DELETE FROM published WHERE size = (SELECT max(size) FROM published)")
    async with log.database.session() as session:
        assert await receipt(session, log.keys, query_id, edition="startup") is None


async def test_a_receipt_tells_what_was_decided_used_and_paid(log: Log) -> None:
    told = await receipt_of(log)
    assert (told.price_vnd, told.outcome, told.purpose, told.revision) == (1_234, "ready", "research.academic", 2)
    assert told.usage == USAGE
    assert told.decision is not None
    assert told.decision["allow"] is True
    assert told.decision_id == told.query_id
    assert (told.columns, told.result_sha256, told.version_id) == (("tuổi",), "cd" * 32, "ab" * 32)


@pytest.mark.parametrize("edition", ["startup", "owner", "regulator"])
async def test_each_edition_opens_only_its_own_and_verifies(log: Log, edition: Edition) -> None:
    told = await receipt_of(log, edition)
    assert told.facts is not None
    data = encode(told)
    assert {fact.name: fact.value for fact in told.facts.facts} == {
        name: value for name, value in FACTS.items() if name not in HIDDEN[edition]
    }
    assert bool(told.facts.closed) == bool(HIDDEN[edition])
    shown = data.decode()
    assert (json.dumps(SQL, ensure_ascii=False)[1:-1] in shown) == (edition != "owner")
    assert not any(f'"{name}"' in shown for name in HIDDEN[edition])
    assert log.keys.facts("1").hex() not in shown
    assert TREE.seed.hex() not in shown
    verification = verify_receipt(data, log.key)
    assert verification.ok, verification.checks
    assert told.settled is not None
    cost = {f"usage.{name}": str(value) for name, value in SPENT.items()}
    assert {fact.name: fact.value for fact in told.settled.facts} == ({} if edition == "owner" else cost)


async def test_facts_that_were_erased_stay_closed_and_the_receipt_still_verifies(log: Log) -> None:
    query_id = uuid4()
    await settle(log, query_id)
    await log.sequence()
    log.tamper("DELETE FROM decision")
    async with log.database.session() as session:
        told = await receipt(session, log.keys, query_id, edition="regulator")
    assert told is not None
    assert told.facts == Opened(size=len(FACTS), facts=(), closed=(TREE.head.root,))
    assert verify_receipt(encode(told), log.key).ok


async def test_usage_that_is_not_what_was_logged_makes_no_receipt(log: Log) -> None:
    told = await receipt_of(log)
    log.tamper(f"UPDATE usage SET cpu_us = 1 WHERE query_id = '{told.query_id}'")
    async with log.database.session() as session:
        with pytest.raises(SettlementDiffers):
            await receipt(session, log.keys, UUID(told.query_id), edition="startup")


async def test_a_receipt_of_another_log_or_another_key_does_not_verify(log: Log) -> None:
    data = encode(await receipt_of(log))
    other_key = verifier_key(log.config.log_origin, Ed25519PrivateKey.generate())
    other_name = VerifierKey("another.example/log", log.key.public)
    for key in (other_key, other_name):
        verification = verify_receipt(data, key)
        assert {check.name for check in verification.checks if not check.ok} == {"signature", "inclusion"}


@pytest.mark.parametrize(
    "other",
    [grow(ASKED, "select 1"), grow(question("rows", {"wallet": {"available_vnd": 1}}), SQL), grow(ASKED, SQL)],
    ids=["another SQL", "another wallet", "another seed"],
)
async def test_facts_replaced_by_others_are_found(log: Log, other: FactTree) -> None:
    told = await receipt_of(log, tree=other)
    verification = verify_receipt(encode(told), log.key)
    assert [check.name for check in verification.checks if not check.ok] == ["opened"]


@pytest.fixture(scope="session")
async def sample(log_server: Log) -> tuple[bytes, VerifierKey]:
    empty(log_server)
    data = encode(await receipt_of(log_server))
    assert verify_receipt(data, log_server.key).ok
    return data, log_server.key


@settings(max_examples=tried(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@settings(max_examples=tried(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b"\xff", b"[" * 100_000, b'{"version": 2}', b'{"version": 4}', b" " * 5_000_000]
)
def test_what_is_no_receipt_is_refused_in_words(data: bytes, sample: tuple[bytes, VerifierKey]) -> None:
    verification = verify_receipt(data, sample[1])
    assert not verification.ok
    assert [check.name for check in verification.checks] == ["form"]
    assert verification.checks[0].vi
    assert verification.checks[0].en
