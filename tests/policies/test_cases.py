"""Every situation of policies/cases is decided alike by both engines, and as the case says."""

from __future__ import annotations

import msgspec
import pytest

from policies.decision import Decision
from policies.engine import Engine
from policies.server import ServerEngine
from policies.sources import data, revision
from policies.wasm import WasmEngine
from tests.policies.cases import ALL, codes, question, told


@pytest.mark.parametrize("name", ALL)
async def test_a_case_is_decided_in_process_as_it_says(name: str, wasm_engine: WasmEngine) -> None:
    await _as_it_says(name, wasm_engine)


@pytest.mark.parametrize("name", ALL)
async def test_a_case_is_decided_by_the_server_as_it_says(name: str, server_engine: ServerEngine) -> None:
    await _as_it_says(name, server_engine)


@pytest.mark.parametrize("name", ALL)
async def test_both_engines_give_the_same_document(
    name: str, wasm_engine: WasmEngine, server_engine: ServerEngine
) -> None:
    base, case = ALL[name]
    asked = question(base, case.change)
    assert _said(await wasm_engine.decide(asked)) == _said(await server_engine.decide(asked))


def test_there_are_enough_cases_and_each_gate_is_tried_missing() -> None:
    assert len(ALL) >= 150
    tried = {code for _, case in ALL.values() for code in case.codes}
    gates = {f"{fact['gate']}.missing" for fact in data()["facts"]["access"].values()}
    assert gates - tried == {"question.missing"}


async def _as_it_says(name: str, engine: Engine) -> None:
    base, case = ALL[name]
    decision = await engine.decide(question(base, case.change))
    assert (decision.allow, codes(decision)) == (case.allow, list(case.codes))
    assert told(decision) == list(case.told)
    assert decision.policy_revision == revision()
    assert (decision.obligations is not None) == case.allow
    if decision.obligations:
        given = msgspec.json.decode(msgspec.json.encode(decision.obligations))
        assert {key: given[key] for key in case.obligations} == case.obligations


def _said(decision: Decision) -> object:
    return msgspec.to_builtins(msgspec.structs.replace(decision, engine=""))
