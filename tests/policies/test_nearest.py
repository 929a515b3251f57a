"""What is offered instead of a denied request is allowed, changes little, and overlooks no single change."""

from __future__ import annotations

import asyncio
from itertools import chain, combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policies.decision import AccessQuestion
from policies.nearest import nearest
from policies.sources import data
from policies.wasm import WasmEngine
from tests.policies.cases import access
from tests.policies.test_laws import AT_MS, COLUMNS, MANY, bases, build, decide

WORLD: dict[str, st.SearchStrategy[Any]] = {
    "agreement.columns": st.lists(st.sampled_from(COLUMNS), unique=True, max_size=4),
    "dataset.columns": st.lists(st.sampled_from(COLUMNS), unique=True, max_size=4),
    "dataset.persons": st.sampled_from([10, 99_999, 100_000, 1_000_000]),
    "dataset.legal_basis": st.sampled_from(["public", "law", "consent"]),
    "dataset.purposes": st.lists(st.sampled_from(["product.rnd", "research", "research.health"]), unique=True),
    "dataset.consented_purposes": st.lists(st.sampled_from(["product.rnd", "research.health"]), unique=True),
    "agreement.purpose": st.sampled_from(["product.rnd", "research", "research.academic"]),
    "agreement.valid_from_ms": st.integers(AT_MS - 1, AT_MS + 1),
    "agreement.ended": st.sampled_from([False, False, False, True]),
    "request.purpose": st.sampled_from(["product.rnd", "research.academic", "research.health", "resale"]),
    "request.columns": st.lists(st.sampled_from(COLUMNS), unique=True, max_size=4),
    "request.max_vnd": st.sampled_from([None, 1, 1500]),
    "wallet.available_vnd": st.sampled_from([0, 1500]),
}
worlds = st.lists(st.sampled_from(tuple(WORLD)), unique=True, max_size=6).flatmap(
    lambda names: st.fixed_dictionaries({name: WORLD[name] for name in names})
)


def _single_changes(asked: AccessQuestion) -> list[AccessQuestion]:
    """Every question that one change makes: fewer columns, another purpose, later, money, a judgement."""
    columns = asked.request.columns or ()
    subsets = chain.from_iterable(combinations(columns, n) for n in range(len(columns)))
    found = [replace(asked, request=replace(asked.request, columns=kept)) for kept in subsets]
    found += [replace(asked, request=replace(asked.request, purpose=p)) for p in data()["purposes"]["known"]]
    found += [replace(asked, at_ms=max(asked.at_ms, asked.agreement.valid_from_ms or 0))]
    found += [replace(asked, request=replace(asked.request, max_vnd=10**9))]
    found += [replace(asked, wallet=replace(asked.wallet, available_vnd=10**9))]
    found += [replace(asked, agreement=replace(asked.agreement, purpose_judged=True))]
    return [each for each in found if each != asked]


@MANY
@given(base=bases, values=worlds)
def test_what_is_offered_is_allowed_and_no_single_change_is_overlooked(
    wasm_engine: WasmEngine, base: str, values: dict[str, Any]
) -> None:
    asked = build(base, values)
    if decide(wasm_engine, asked).allow:
        return
    offered = asyncio.run(nearest(wasm_engine, asked))
    if offered is not None:
        assert offered.decision.allow
        assert decide(wasm_engine, offered.question).allow
        assert len({change.code for change in offered.changes}) == len(offered.changes)
    if any(decide(wasm_engine, each).allow for each in _single_changes(asked)):
        assert offered is not None
        assert len(offered.changes) == 1


@MANY
@given(base=bases, values=worlds)
def test_without_any_of_its_changes_it_is_denied(
    wasm_engine: WasmEngine, base: str, values: dict[str, Any]
) -> None:
    """Fewest means that each is needed: what is offered with two changes is not to be had with one."""
    asked = build(base, values)
    if decide(wasm_engine, asked).allow:
        return
    offered = asyncio.run(nearest(wasm_engine, asked))
    if offered is not None and len(offered.changes) > 1:
        assert not any(decide(wasm_engine, each).allow for each in _single_changes(asked))


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        ({"request": {"columns": ["age", "hours"]}}, {"columns.drop": {"columns": ["hours"]}}),
        ({"request": {"purpose": "resale"}}, {"purpose.choose": {"purpose": "product.rnd"}}),
        ({"agreement": {"valid_from_ms": AT_MS + 9}}, {"wait": {"at_ms": AT_MS + 9}}),
        ({"request": {"max_vnd": 1}}, {"limit.raise": {"max_vnd": 1500}}),
        ({"wallet": {"available_vnd": 500}}, {"wallet.credit": {"missing_vnd": 1000}}),
        (
            {
                "agreement": {"purpose": "research.health"},
                "request": {"purpose": "research.health"},
                "dataset": {"purposes": ["research.academic"]},
            },
            {"owner.judge": {"purpose": "research.health"}},
        ),
        (
            {"request": {"columns": ["salary"], "purpose": "vui"}},
            {"columns.drop": {"columns": ["salary"]}, "purpose.choose": {"purpose": "product.rnd"}},
        ),
    ],
)
async def test_each_kind_of_change_is_offered(
    wasm_engine: WasmEngine, change: dict[str, Any], codes: dict[str, Any]
) -> None:
    offered = await nearest(wasm_engine, access("rows", change))
    assert offered is not None
    assert {each.code: each.params for each in offered.changes} == codes


@pytest.mark.parametrize("change", [{"agreement": {"ended": True}}, {"caller": {"organisation_suspended": True}}])
async def test_what_no_change_cures_gets_no_offer(wasm_engine: WasmEngine, change: dict[str, Any]) -> None:
    assert await nearest(wasm_engine, access("rows", change)) is None
