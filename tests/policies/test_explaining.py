"""Told gate by gate, a decision says what the rules themselves say."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from policies.decision import Reason
from policies.explaining import fact, gate_texts, gates
from policies.gates import annotated
from policies.sources import data_files, rules
from policies.wasm import WasmEngine
from tests.policies.cases import OF_ACCESS, access, question

ACCESS = {name: access(base, case.change) for name, (base, case) in OF_ACCESS.items()}


@pytest.fixture(scope="module")
def held(opa: Path) -> dict[str, set[str]]:
    """The gates that hold in every case, as OPA evaluates `data.access.gates`."""
    asked = {"questions": {name: msgspec.to_builtins(each) for name, each in ACCESS.items()}}
    query = "{name: held | some name, q in input.questions; held := data.access.gates with input as q}"
    sources = [argument for path in (*rules(), *data_files()) for argument in ("-d", str(path))]
    done = subprocess.run(
        [opa, "eval", "--stdin-input", "-f", "raw", *sources, query],
        input=json.dumps(asked).encode(),
        capture_output=True,
        check=True,
    )
    return {name: set(codes) for name, codes in json.loads(done.stdout).items()}


@pytest.mark.parametrize("name", ACCESS)
async def test_a_gate_is_never_told_to_hold_when_it_does_not_nor_the_other_way_round(
    name: str, held: dict[str, set[str]], wasm_engine: WasmEngine
) -> None:
    decision = await wasm_engine.decide(ACCESS[name])
    told = gates(ACCESS[name], decision)
    assert {gate.code for gate in told if gate.holds} <= held[name]
    assert not {gate.code for gate in told if gate.holds is False} & held[name]
    open_ = {gate.code for gate in told if gate.holds is None}
    assert not open_ or any(re.search("missing|unknown|not_listed", reason.code) for reason in decision.reasons)


async def test_every_reason_stands_at_a_gate(wasm_engine: WasmEngine) -> None:
    for asked in ACCESS.values():
        decision = await wasm_engine.decide(asked)
        shown = {reason.code for gate in gates(asked, decision) for reason in gate.reasons}
        assert shown == {reason.code for reason in decision.reasons if reason.severity == "deny"}


async def test_where_no_rule_decided_no_gate_is_told_to_hold_or_not(wasm_engine: WasmEngine) -> None:
    decision = await wasm_engine.decide(question("rows", {}))
    absent = msgspec.structs.replace(decision, allow=False, reasons=(Reason(code="policy.undefined"),))
    assert {gate.holds for gate in gates(question("rows", {}), absent)} == {None}


def test_every_gate_has_its_text() -> None:
    codes = {note.custom.code for note in annotated() if note.document == "access" and note.is_gate}
    assert codes <= gate_texts().keys()


def test_a_fact_is_found_by_its_name() -> None:
    asked = access("rows", {})
    assert fact(asked, "agreement.purpose") == asked.agreement.purpose
    assert fact(asked, "question.at_ms") == asked.at_ms
    assert fact(asked, "nobody.knows") is None
