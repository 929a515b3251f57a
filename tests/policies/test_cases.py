"""Every situation of policies/cases is decided alike by both engines, and as the case says."""

from __future__ import annotations

import msgspec
import pytest

from policies.decision import Decision
from policies.server import ServerEngine
from policies.sources import revision
from policies.wasm import WasmEngine
from tests.policies.cases import ALL, Case, codes, question, told

"""A thousand documents through the same lines: see tests/conftest.py."""


@pytest.mark.parametrize("name", ALL)
async def test_a_case_is_decided_as_it_says_and_alike_by_both_engines(
    name: str, wasm_engine: WasmEngine, server_engine: ServerEngine
) -> None:
    base, case = ALL[name]
    asked = question(base, case.change)
    ours, theirs = await wasm_engine.decide(asked), await server_engine.decide(asked)
    assert _said(ours) == _said(theirs)
    _is_as_it_says(ours, case)


def test_there_are_enough_cases() -> None:
    assert len(ALL) >= 150


def _is_as_it_says(decision: Decision, case: Case) -> None:
    assert (decision.allow, codes(decision)) == (case.allow, list(case.codes))
    assert told(decision) == list(case.told)
    assert decision.policy_revision == revision()
    assert (decision.obligations is not None) == case.allow
    if decision.obligations:
        given = msgspec.json.decode(msgspec.json.encode(decision.obligations))
        assert {key: given[key] for key in case.obligations} == case.obligations


def _said(decision: Decision) -> object:
    return msgspec.to_builtins(msgspec.structs.replace(decision, engine=""))
