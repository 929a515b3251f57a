"""Questions at and beyond every bound: both engines decide alike, never allow what is none, and go on after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from policies.answer import canonical
from policies.build import wasm
from policies.decision import Decision
from policies.fit import MAX_BYTES, MAX_DEPTH
from policies.module import WASM
from policies.server import ServerEngine
from policies.wasm import WasmEngine
from tests.policies.cases import access, codes, question
from tests.policies.conftest import stamp

QUESTION = question("rows", {})
ENTRYPOINT = QUESTION.entrypoint
COLUMNS = tuple(f"column_{number}" for number in range(10_000))
HUNGRY = """
deny contains {"code": "hungry"} if {
	pairs := {concat(",", [a, b]) | some a in input.request.columns; some b in input.request.columns}
	count(pairs) > 1
}
"""
"""A rule that needs more memory than a module may have, when many columns are asked."""
Both = tuple[WasmEngine, ServerEngine]


@pytest.fixture
def both(wasm_engine: WasmEngine, server_engine: ServerEngine) -> Both:
    return wasm_engine, server_engine


async def _answered(both: Both, document: bytes) -> Decision:
    """The one decision of both engines, which decide the next question as ever."""
    ours, theirs = [await engine.answer(ENTRYPOINT, document) for engine in both]
    assert msgspec.structs.replace(ours, engine="") == msgspec.structs.replace(theirs, engine="")
    for engine in both:
        assert (await engine.decide(QUESTION)).allow
    return ours


def _document(**change: Any) -> bytes:
    return msgspec.json.encode(msgspec.json.decode(canonical(QUESTION)) | change)


def _nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels):
        value = {"a": value}
    return value


async def test_ten_thousand_columns_are_decided(both: Both) -> None:
    many = question("rows", {"request": {"columns": COLUMNS}, "agreement": {"columns": COLUMNS},
                             "dataset": {"columns": COLUMNS}})  # fmt: skip
    allowed = await _answered(both, canonical(many))
    assert allowed.allow
    assert allowed.obligations is not None
    assert set(allowed.obligations.columns) == set(COLUMNS)
    one_too_many = question("rows", {"request": {"columns": (*COLUMNS, "none")}, "agreement": {"columns": COLUMNS},
                                     "dataset": {"columns": COLUMNS}})  # fmt: skip
    denied = await _answered(both, canonical(one_too_many))
    assert codes(denied) == ["columns.not_agreed", "columns.not_in_version"]


async def test_a_question_as_long_as_may_be_is_decided_and_one_byte_more_is_refused(both: Both) -> None:
    name = "p" * (MAX_BYTES - len(canonical(question("rows", {"agreement": {"people": [""]}}))))
    longest = canonical(question("rows", {"agreement": {"people": [name]}}))
    assert len(longest) == MAX_BYTES
    assert codes(await _answered(both, longest)) == ["agreement.not_named"]
    longer = canonical(question("rows", {"agreement": {"people": [name + "p"]}}))
    refused = await _answered(both, longer)
    assert codes(refused) == ["policy.question_too_long"]
    assert refused.reasons[0].params == {"bytes": MAX_BYTES + 1, "max_bytes": MAX_BYTES}


@pytest.mark.parametrize("levels", [MAX_DEPTH, 900, 100_000])
async def test_nesting_too_deep_is_refused(both: Both, levels: int) -> None:
    deep = b'{"a":' * levels + b"1" + b"}" * levels
    document = canonical(QUESTION).replace(b'"limits":{}', b'"limits":' + deep)
    assert document.count(b"{") > levels
    assert codes(await _answered(both, document)) == ["policy.question_not_understood"]


async def test_nesting_that_may_be_is_decided(both: Both) -> None:
    limits = _nested(MAX_DEPTH - 4)
    decided = await _answered(both, canonical(question("rows", {"agreement": {"limits": limits}})))
    assert "policy.question_not_understood" not in codes(decided)


async def test_a_fact_that_nobody_knows_is_refused_wherever_it_stands(both: Both) -> None:
    known = msgspec.json.decode(canonical(QUESTION))
    sections = [name for name, value in known.items() if isinstance(value, dict)]
    for document in (
        _document(allow=True),
        *(_document(**{name: known[name] | {"allow": True}}) for name in sections),
    ):
        assert codes(await _answered(both, document)) == ["policy.question_not_understood"]


async def test_what_has_no_json_is_refused(both: Both) -> None:
    asked = access("rows", {})
    unwritable = msgspec.structs.replace(asked, caller=msgspec.structs.replace(asked.caller, person_id="\ud800"))
    for engine in both:
        assert codes(await engine.decide(unwritable)) == ["policy.question_not_understood"]


async def test_a_module_that_traps_denies_that_question_alone(
    opa: Path, copied_policy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = copied_policy / "access" / "rows.rego"
    path.write_text(path.read_text(encoding="utf-8") + HUNGRY, encoding="utf-8")
    for module in ("sources", "build"):
        monkeypatch.setattr(f"policies.{module}.FOLDER", copied_policy)
    (copied_policy / WASM).write_bytes(wasm(opa))
    stamp(copied_policy)
    engine = WasmEngine(folder=copied_policy)
    trapped = await engine.decide(question("rows", {"request": {"columns": COLUMNS}}))
    assert (trapped.allow, codes(trapped)) == (False, ["policy.engine_failed"])
    assert (await engine.decide(QUESTION)).allow
    await engine.close()
