"""Whoever changes the log behind its back is found: every statement here runs as superuser, triggers off."""

from __future__ import annotations

from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from marketplace.audit.actions import record
from marketplace.audit.note import sign_checkpoint
from tests.marketplace.audit.conftest import Log

SWAP_LEAVES = (
    "UPDATE audit_leaf SET index = -1 WHERE index = 3",
    "UPDATE audit_leaf SET index = 3 WHERE index = 5",
    "UPDATE audit_leaf SET index = 5 WHERE index = -1",
)
NOTHING = "SELECT id FROM event WHERE id = (SELECT event_id FROM audit_leaf WHERE index = 4)"
EDITS = {
    "an event's price": ("UPDATE event SET price_vnd = price_vnd + 1 WHERE price_vnd = 4", "log.event_changed"),
    "a number in a body made text": (
        "UPDATE event SET body = jsonb_set(body, '{half}', '0.5') WHERE price_vnd = 4",
        "log.event_changed",
    ),
    "a microsecond": (
        "UPDATE event SET at = at + interval '1 microsecond' WHERE price_vnd = 4",
        "log.event_changed",
    ),
    "who may read it": ("UPDATE event SET parties = parties || parties WHERE price_vnd = 4", "log.event_changed"),
    "an event's dataset": (
        "UPDATE event SET dataset_id = gen_random_uuid() WHERE price_vnd = 4",
        "log.event_changed",
    ),
    "a commitment": ("UPDATE event SET commitment = sha256(commitment) WHERE price_vnd = 4", "log.leaf_changed"),
    "a salt": ("UPDATE event_salt SET salt = sha256(salt)", "log.event_changed"),
    "a leaf's data": ("UPDATE audit_leaf SET data = data || ' ' WHERE index = 4", "log.leaf_changed"),
    "a leaf's counter": (
        "UPDATE audit_leaf SET dataset_counter = 99 WHERE index = 4",
        "log.counter_wrong",
    ),
    "which leaf went before": (
        "UPDATE audit_leaf SET dataset_previous = 0 WHERE index = 4",
        "log.counter_wrong",
    ),
    "a node": ("UPDATE audit_node SET hash = sha256(hash) WHERE (level, index) = (1, 1)", "log.node_changed"),
    "a root": ("UPDATE checkpoint SET root = sha256(root) WHERE size = 8", "log.checkpoint_changed"),
    "a note": ("UPDATE checkpoint SET note = replace(note, '8', '9') WHERE size = 8", "log.checkpoint_forged"),
}
REMOVALS = {
    "an event": (f"DELETE FROM event WHERE id = ({NOTHING})", "log.event_missing"),
    "a salt": (f"DELETE FROM event_salt WHERE event_id = ({NOTHING})", "log.salt_missing"),
    "a leaf": ("DELETE FROM audit_leaf WHERE index = 4", "log.leaf_missing"),
    "the newest leaf": ("DELETE FROM audit_leaf WHERE index = 7", "log.cut_short"),
    "a node": ("DELETE FROM audit_node WHERE (level, index) = (2, 1)", "log.node_changed"),
    "the newest checkpoint": ("DELETE FROM checkpoint WHERE size = 8", "log.leaf_unsigned"),
}
INSERTIONS = {
    "an event": (
        "INSERT INTO event SELECT gen_random_uuid(), at, name, actor_person_id, actor_organisation_id, parties, "
        "dataset_id, agreement_id, query_id, purpose, version_id, revision, bytes, price_vnd, body, commitment "
        "FROM event WHERE price_vnd = 4",
        "log.event_hidden",
    ),
    "a leaf": (
        "INSERT INTO audit_leaf SELECT 8, gen_random_uuid(), NULL, NULL, data FROM audit_leaf WHERE index = 4",
        "log.leaf_unsigned",
    ),
    "a node": ("INSERT INTO audit_node SELECT 3, 7, hash FROM audit_node WHERE level = 3", "log.node_stray"),
    "an event to be sequenced that is none": (
        "INSERT INTO pending_leaf VALUES (gen_random_uuid())",
        "log.event_missing",
    ),
}


@pytest.fixture
async def grown(log: Log) -> Log:
    """Eight leaves under two checkpoints, most of them of one dataset."""
    datasets = (uuid4(), None)
    for half in range(2):
        for n in range(4):
            async with log.database.session() as session:
                price = half * 4 + n
                await record(
                    session, "test:use", dataset_id=datasets[n == 1], parties=[uuid4()], price_vnd=price,
                    body={"half": 0.5, "text": "đồng"},
                )  # fmt: skip
            if n == 3:
                await log.sequence()
    assert await log.findings() == ()
    return log


@pytest.mark.parametrize(("statement", "code"), EDITS.values(), ids=EDITS)
async def test_an_edit_is_found(grown: Log, statement: str, code: str) -> None:
    grown.tamper(statement)
    assert code in {finding.code for finding in await grown.findings()}


@pytest.mark.parametrize(("statement", "code"), REMOVALS.values(), ids=REMOVALS)
async def test_a_removal_is_found(grown: Log, statement: str, code: str) -> None:
    grown.tamper(statement)
    assert code in {finding.code for finding in await grown.findings()}


@pytest.mark.parametrize(("statement", "code"), INSERTIONS.values(), ids=INSERTIONS)
async def test_what_was_put_in_is_found(grown: Log, statement: str, code: str) -> None:
    grown.tamper(statement)
    assert code in {finding.code for finding in await grown.findings()}


async def test_swapped_leaves_are_found(grown: Log) -> None:
    grown.tamper(*SWAP_LEAVES)
    codes = {finding.code for finding in await grown.findings()}
    assert {"log.root_differs", "log.node_changed", "log.counter_wrong"} <= codes


async def test_a_log_rewritten_whole_but_for_the_key_is_found(grown: Log) -> None:
    """An edited event with everything recomputed: only the signature is out of the intruder's reach."""
    forger = Ed25519PrivateKey.generate()
    root = await grown.one("SELECT root FROM checkpoint WHERE size = 8")
    note = sign_checkpoint(grown.config.log_origin, forger, 8, root)
    grown.tamper(f"UPDATE checkpoint SET note = '{note}' WHERE size = 8")
    assert "log.checkpoint_forged" in {finding.code for finding in await grown.findings()}


async def test_a_log_cut_back_to_an_old_head_is_found_by_whoever_kept_the_newer_one(grown: Log) -> None:
    kept = await grown.one("SELECT note FROM checkpoint WHERE size = 8")
    grown.tamper(
        "DELETE FROM event WHERE price_vnd >= 4",
        "DELETE FROM audit_leaf WHERE index >= 4",
        "DELETE FROM audit_node WHERE (index + 1) << level::int > 4",
        "DELETE FROM checkpoint WHERE size = 8",
    )
    assert await grown.findings() == ()
    assert {finding.code for finding in await grown.findings(seen=[kept])} == {"log.cut_short"}


async def test_a_leaf_linked_elsewhere_is_found(grown: Log) -> None:
    other = f'\'{{"c":"\' || encode(e.commitment, \'hex\') || \'","l":"{"0" * 64}"}}\''
    changed = f"UPDATE audit_leaf SET data = convert_to({other}, 'UTF8')"
    grown.tamper(f"{changed} FROM event e WHERE e.id = event_id AND index = 4")
    assert "log.counter_wrong" in {finding.code for finding in await grown.findings()}


async def test_a_busy_log_is_no_finding(grown: Log) -> None:
    async with grown.database.session() as session:
        await record(session, "test:event")
    assert await grown.findings() == ()
