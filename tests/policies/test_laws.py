"""Laws of the policy over generated questions: facts taken away never open, constraints added never loosen."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.decision import AccessQuestion, Decision
from policies.server import ServerEngine
from policies.wasm import WasmEngine
from tests.examples import tried
from tests.policies.cases import BASES, Document, access, codes

AT_MS = 1_763_769_600_000
COLUMNS = ("age", "sex", "hours", "salary")
PURPOSES = ("product.rnd", "research.academic", "resale", "vui")
FEW = settings(max_examples=tried(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY = settings(FEW, max_examples=tried(60))

some_columns = st.lists(st.sampled_from(COLUMNS), unique=True, max_size=4)
some_purposes = st.lists(st.sampled_from(PURPOSES), unique=True, max_size=3)
around_now = st.integers(AT_MS - 2, AT_MS + 2)
amounts = st.integers(0, 5)
DIFFERENT: dict[str, st.SearchStrategy[Any]] = {
    "caller.active": st.booleans(),
    "caller.organisation_suspended": st.booleans(),
    "caller.organisation_kind": st.sampled_from(["startup", "owner", "operator"]),
    "agreement.people": st.lists(st.sampled_from(["person-1", "person-2"]), max_size=2),
    "agreement.ended": st.booleans(),
    "agreement.columns": some_columns,
    "agreement.valid_from_ms": around_now,
    "agreement.expires_at_ms": around_now,
    "agreement.purpose": st.sampled_from(PURPOSES),
    "dataset.listed": st.booleans(),
    "dataset.mode": st.sampled_from(["rows", "aggregate", "dp"]),
    "dataset.k": st.integers(3, 7),
    "dataset.columns": some_columns,
    "dataset.purposes": some_purposes,
    "dataset.legal_basis": st.sampled_from(["consent", "law", "public", "contract", "hearsay"]),
    "dataset.consented_purposes": some_purposes,
    "request.purpose": st.sampled_from(PURPOSES),
    "request.columns": some_columns,
    "request.price_vnd": amounts,
    "request.max_vnd": amounts,
    "request.rows_cap": amounts,
    "request.rows_released": amounts,
    "wallet.available_vnd": amounts,
}
REMOVABLE = tuple(name for name in DIFFERENT if name != "request.purpose")
bases = st.sampled_from(("rows", "aggregate"))
changes = st.lists(st.sampled_from(tuple(DIFFERENT)), unique=True, max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: DIFFERENT[name] for name in names})
)
unheard = st.dictionaries(st.sampled_from(tuple(DIFFERENT)), st.none(), max_size=3)


def build(base: str, values: dict[str, Any]) -> AccessQuestion:
    """The base with `values` put in by dotted name."""
    change: dict[str, Document] = {}
    for name, value in values.items():
        section, fact = name.split(".")
        change.setdefault(section, {})[fact] = value
    return access(base, change)


def decide(engine: WasmEngine, asked: AccessQuestion) -> Decision:
    return asyncio.run(engine.decide(asked))


@MANY
@given(base=bases, values=changes, gone=st.sampled_from([n for n in REMOVABLE if n != "request.max_vnd"]))
def test_taking_a_fact_away_never_turns_a_denial_into_leave(
    wasm_engine: WasmEngine, base: str, values: dict[str, Any], gone: str
) -> None:
    before = decide(wasm_engine, build(base, values))
    after = decide(wasm_engine, build(base, values | {gone: None}))
    assert before.allow or not after.allow


@MANY
@given(base=bases, column=st.sampled_from(COLUMNS), price=amounts, values=changes)
def test_asking_for_more_never_turns_a_denial_into_leave(
    wasm_engine: WasmEngine, base: str, column: str, price: int, values: dict[str, Any]
) -> None:
    asked = build(base, values)
    request = asked.request
    more = msgspec.structs.replace(
        request,
        columns=(*(request.columns or ()), column),
        price_vnd=(request.price_vnd or 0) + price,
        rows_released=(request.rows_released or 0) + 1,
    )
    before = decide(wasm_engine, asked)
    after = decide(wasm_engine, msgspec.structs.replace(asked, request=more))
    assert before.allow or not after.allow


@MANY
@given(base=bases, values=changes, limit=amounts, people=DIFFERENT["agreement.people"])
def test_a_constraint_added_never_loosens(
    wasm_engine: WasmEngine, base: str, values: dict[str, Any], limit: int, people: list[str]
) -> None:
    asked = build(base, {k: v for k, v in values.items() if k not in {"request.max_vnd", "agreement.people"}})
    tighter = msgspec.structs.replace(
        asked,
        request=msgspec.structs.replace(asked.request, max_vnd=limit),
        agreement=msgspec.structs.replace(
            asked.agreement, people=tuple(p for p in asked.agreement.people or () if p in people)
        ),
    )
    before, after = decide(wasm_engine, asked), decide(wasm_engine, tighter)
    assert before.allow or not after.allow


@MANY
@given(base=bases, values=changes)
def test_every_denial_has_a_reason_and_no_leave_has_one(
    wasm_engine: WasmEngine, base: str, values: dict[str, Any]
) -> None:
    decision = decide(wasm_engine, build(base, values))
    assert decision.allow == (not codes(decision))
    assert all(not reason.code.startswith("policy.") for reason in decision.reasons)


@MANY
@given(base=bases, values=changes)
def test_obligations_never_go_beyond_what_was_agreed(
    wasm_engine: WasmEngine, base: str, values: dict[str, Any]
) -> None:
    asked = build(base, values)
    owed = decide(wasm_engine, asked).obligations
    if owed is not None:
        assert set(owed.columns) <= set(asked.agreement.columns or ()) & set(asked.request.columns or ())
        assert owed.k_min == asked.dataset.k
        assert owed.recheck_after <= owed.expires_at == asked.agreement.expires_at_ms
        assert (owed.consented_to == asked.request.purpose) == (asked.dataset.legal_basis == "consent")


@FEW
@given(base=bases, values=changes, gone=unheard)
async def test_the_server_agrees_with_the_module(
    wasm_engine: WasmEngine, server_engine: ServerEngine, base: str, values: dict[str, Any], gone: dict[str, None]
) -> None:
    asked = build(base, values | {name: None for name in gone if name in REMOVABLE})
    here, there = await wasm_engine.decide(asked), await server_engine.decide(asked)
    assert msgspec.structs.replace(here, engine="") == msgspec.structs.replace(there, engine="")


def test_the_same_facts_have_the_same_hash_whatever_their_order(wasm_engine: WasmEngine) -> None:
    backwards = {key: BASES["rows"][key] for key in reversed(BASES["rows"])}
    again = msgspec.convert(copy.deepcopy(backwards), AccessQuestion)
    first, second = decide(wasm_engine, access("rows", {})), decide(wasm_engine, again)
    assert first.facts_hash == second.facts_hash
    other = decide(wasm_engine, access("rows", {"wallet": {"available_vnd": 1}}))
    assert other.facts_hash != first.facts_hash
