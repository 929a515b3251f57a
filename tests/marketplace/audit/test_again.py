"""A decision is computed again from the regulator's receipt and the policy, and whatever was changed is named."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from marketplace.audit.actions import record
from marketplace.audit.facttree import SEED_BYTES, FactTree
from marketplace.audit.receipt import Edition, Receipt, encode
from marketplace.audit.receipts import receipt
from marketplace.audit.sealing import seal, told
from marketplace.audit.verify import verify_receipt
from marketplace.db.together import perform
from policies.answer import canonical
from policies.decision import AccessQuestion
from policies.kept import keep
from policies.wasm import WasmEngine
from tests.marketplace.audit.bodies import settled, spent, use
from tests.marketplace.audit.conftest import Log
from tests.policies.cases import OF_ACCESS, question

Document = dict[str, Any]
NAMES = [name for name, (_, case) in OF_ACCESS.items() if 'id"' not in json.dumps(case.change)]
"""Cases whose ids an event can have."""
IDS = {name: str(uuid4()) for name in ("person-1", "startup-1", "agreement-1", "dataset-1")}


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """The policy as a home keeps it, a copy that may be spoilt."""
    return keep(tmp_path / "policies")


def asked_as(base: str, change: dict[str, Document]) -> AccessQuestion:
    """A question of the cases, with ids that an event can have."""
    text = canonical(question(base, change)).decode()
    for name, number in IDS.items():
        text = text.replace(f'"{name}"', f'"{number}"')
    return msgspec.json.decode(text, type=AccessQuestion)


def nothing(decision: Document, asked: Document) -> None:
    """A service that does not lie."""


@functools.cache
def _engine() -> WasmEngine:
    """One for all: it takes longer to open than a hundred decisions."""
    return WasmEngine()


async def receipt_of(
    log: Log,
    asked: AccessQuestion,
    lie: Callable[[Document, Document], None] = nothing,
    edition: Edition = "regulator",
) -> Receipt:
    """The decision on `asked`, or what `lie` makes of it, logged and signed by the service itself."""
    made = await _engine().decide(asked)
    decision, question, query_id = told(made), json.loads(canonical(asked)), uuid4()
    lie(decision, question)
    tree = FactTree(json.dumps(question).encode(), "select 1", bytes(SEED_BYTES))
    sealed = seal(log.keys, decision_id=query_id, tree=tree, decision=made)
    async with log.database.session() as session:
        await perform(session, sealed.stored)
        await use(session, query_id=query_id, dataset_id=UUID(IDS["dataset-1"]))
        await record(
            session,
            "query:settle",
            query_id=query_id,
            actor_person_id=UUID(IDS["person-1"]),
            actor_organisation_id=UUID(IDS["startup-1"]),
            agreement_id=UUID(IDS["agreement-1"]),
            dataset_id=UUID(IDS["dataset-1"]),
            purpose=asked.request.purpose,
            price_vnd=0,
            version_id=asked.dataset.version_id,
            body=settled(
                decision_id=query_id,
                decision=decision,
                columns=asked.request.columns or (),
                facts=sealed.head,
                settled=spent(tree.seed),
            ),
        )
    await log.sequence()
    async with log.database.session() as session:
        found = await receipt(session, log.keys, query_id, edition=edition)
    assert found is not None
    return found


def failed(log: Log, found: Receipt, policy: Path) -> dict[str, str]:
    """Each check that does not hold, and what it says."""
    verification = verify_receipt(encode(found), log.key, policy)
    return {check.name: check.detail for check in verification.checks if not check.ok}


@pytest.mark.parametrize("name", NAMES[::6])
async def test_a_decision_of_any_kind_is_computed_again(log: Log, policy: Path, name: str) -> None:
    base, case = OF_ACCESS[name]
    assert failed(log, await receipt_of(log, asked_as(base, case.change)), policy) == {}


@pytest.mark.parametrize(
    ("decision", "named"),
    [
        ({"obligations": {"max_rows": 10**6}}, "obligations"),
        ({"obligations": {"columns": ["age", "salary"]}}, "obligations"),
        ({"valid_until": 1}, "valid_until"),
        ({"allow": False}, "allow"),
    ],
)
async def test_a_service_that_signs_another_decision_than_its_policy_gave_is_found(
    log: Log, policy: Path, decision: Document, named: str
) -> None:
    def lie(told: Document, _: Document) -> None:
        obligations = told["obligations"] | decision.get("obligations", {})
        told.update(decision | {"obligations": obligations})

    found = failed(log, await receipt_of(log, asked_as("rows", {}), lie), policy)
    assert found == {"decision": f"computed again, these differ: {named}"}


@pytest.mark.parametrize(
    ("group", "facts"),
    [
        ("dataset", {"k": 4}),
        ("agreement", {"ended": True}),
        ("wallet", {"available_vnd": 0}),
        ("question", {"at_ms": 1}),
    ],
)
async def test_a_service_that_signs_other_facts_than_it_decided_on_is_found(
    log: Log, policy: Path, group: str, facts: Document
) -> None:
    shown = await receipt_of(log, asked_as("rows", {}), lambda _, asked: edit(asked, group, **facts))
    found = failed(log, shown, policy)
    assert found == {"decision": "computed again, these differ: allow, reasons, obligations, valid_until"}


def edit(asked: Document, section: str, **facts: object) -> None:
    (asked if section == "question" else asked[section]).update(facts)


@pytest.mark.parametrize(
    ("group", "fact", "value"),
    [
        ("request", "purpose", "research.academic"),
        ("request", "columns", ["sex"]),
        ("agreement", "id", str(UUID(int=1))),
        ("dataset", "version_id", "version-0"),
        ("caller", "person_id", str(UUID(int=2))),
    ],
)
async def test_facts_of_another_question_than_the_event_tells_are_found(
    log: Log, policy: Path, group: str, fact: str, value: object
) -> None:
    shown = await receipt_of(log, asked_as("rows", {}), lambda _, asked: edit(asked, group, **{fact: value}))
    assert failed(log, shown, policy)["facts"].startswith(f"{group}.{fact} ")


@pytest.mark.parametrize("edition", ["startup", "owner"])
async def test_only_the_regulators_edition_opens_enough(log: Log, policy: Path, edition: Edition) -> None:
    found = failed(log, await receipt_of(log, asked_as("rows", {}), edition=edition), policy)
    assert found.keys() == {"facts", "decision"}
    assert "the regulator's edition opens all" in found["facts"]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("data/limits.json", "policy.json says"),
        ("access/rows.rego", "policy.json says"),
        ("policy.wasm", "not the module"),
    ],
)
async def test_a_policy_changed_anywhere_is_found(log: Log, policy: Path, file: str, said: str) -> None:
    path = policy / file
    path.write_bytes(path.read_bytes() + b"\n")
    found = failed(log, await receipt_of(log, asked_as("rows", {})), policy)
    assert said in found["policy"]


async def test_another_module_with_a_stamp_of_its_own_is_found_by_what_the_log_names(
    log: Log, policy: Path
) -> None:
    stamp = json.loads((policy / "policy.json").read_bytes())
    shown = await receipt_of(
        log, asked_as("rows", {}), lambda decision, _: decision.update(module_sha256="00" * 32)
    )
    assert failed(log, shown, policy).keys() == {"policy"}
    assert failed(log, shown, policy)["policy"].startswith(f"module_sha256: the module is {stamp['sha256']}")


async def test_the_policy_of_another_revision_is_named(log: Log, policy: Path) -> None:
    shown = await receipt_of(
        log, asked_as("rows", {}), lambda decision, _: decision.update(policy_revision="0" * 16)
    )
    assert failed(log, shown, policy) == {"policy": f"the policy is {policy.name}, the decision names {'0' * 16}"}


async def test_a_denial_by_the_engines_own_state_is_told_as_one(log: Log, policy: Path) -> None:
    def unavailable(decision: Document, _: Document) -> None:
        reason = {"code": "policy.engine_unavailable", "severity": "deny", "params": {"timeout_ms": 5}}
        decision.update(allow=False, reasons=[reason], obligations=None, valid_until=0)

    shown = await receipt_of(log, asked_as("rows", {}), unavailable)
    verification = verify_receipt(encode(shown), log.key, policy)
    assert verification.ok
    assert "not by a rule: policy.engine_unavailable" in verification.checks[-1].detail


async def test_a_folder_that_holds_no_policy_is_told(log: Log, tmp_path: Path) -> None:
    found = failed(log, await receipt_of(log, asked_as("rows", {})), tmp_path)
    assert found.keys() == {"policy", "decision"}


def test_a_policy_is_kept_once_and_without_its_tests(tmp_path: Path) -> None:
    first = keep(tmp_path / "policies")
    before = {path: path.stat().st_mtime_ns for path in first.rglob("*")}
    assert keep(tmp_path / "policies") == first
    assert {path: path.stat().st_mtime_ns for path in first.rglob("*")} == before
    assert [path.name for path in (tmp_path / "policies").iterdir()] == [first.name]
    assert not any("_test" in path.name or path.suffix == ".py" for path in before)
