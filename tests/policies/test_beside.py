"""Several datasets in one query: one denial denies, the stricter holds for all, whatever their order."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policies.beside import decide_all, nearest_all
from policies.decision import AccessQuestion
from policies.wasm import WasmEngine
from tests.policies.cases import access
from tests.policies.test_laws import FEW, bases, decide

VALUES: dict[str, st.SearchStrategy[Any]] = {
    "dataset.k": st.integers(4, 20),
    "dataset.persons": st.sampled_from([10, 99_999, 1_000_000]),
    "agreement.limits": st.fixed_dictionaries({}, optional={"k_min": st.integers(4, 14), "max_rows": st.just(7)}),
    "agreement.ended": st.sampled_from([False, False, False, True]),
    "agreement.purpose": st.sampled_from(["product.rnd", "research", "research.academic"]),
    "request.columns": st.lists(st.sampled_from(["age", "sex", "hours"]), unique=True, max_size=3),
}
datasets = st.fixed_dictionaries({}, optional=VALUES)
several = st.lists(st.tuples(bases, datasets), min_size=2, max_size=4)


def _asked(each: tuple[str, dict[str, Any]]) -> AccessQuestion:
    nested: dict[str, dict[str, Any]] = {}
    for path, value in each[1].items():
        section, name = path.split(".")
        nested.setdefault(section, {})[name] = value
    return access(each[0], nested)


@FEW
@given(each=bases, values=datasets)
def test_of_one_dataset_it_is_the_decision_on_it(
    wasm_engine: WasmEngine, each: str, values: dict[str, Any]
) -> None:
    asked = _asked((each, values))
    (alone,) = asyncio.run(decide_all(wasm_engine, [asked]))
    assert (alone.question, alone.decision) == (asked, decide(wasm_engine, asked))


@FEW
@given(chosen=several)
def test_all_are_allowed_only_if_each_is_and_each_keeps_the_stricter(
    wasm_engine: WasmEngine, chosen: list[tuple[str, dict[str, Any]]]
) -> None:
    asked = [_asked(each) for each in chosen]
    found = [each.decision for each in asyncio.run(decide_all(wasm_engine, asked))]
    alone = [decide(wasm_engine, each) for each in asked]
    for one, together in zip(alone, found, strict=True):
        assert one.allow or not together.allow
    if not all(each.allow for each in found):
        return
    obligations = [each.obligations for each in alone if each.obligations]
    demanded = [(each.agreement.limits or {}).get("k_min", 0) for each in asked]
    for each, own in zip(found, obligations, strict=True):
        assert each.obligations
        assert each.obligations.k_min == max(own.k_min, *demanded)
        assert each.obligations.max_rows == min(o.max_rows for o in obligations)
        assert each.obligations.max_bytes == min(o.max_bytes for o in obligations)
        assert each.obligations.expires_at == min(o.expires_at for o in obligations)


@FEW
@given(chosen=several)
def test_their_order_does_not_matter(wasm_engine: WasmEngine, chosen: list[tuple[str, dict[str, Any]]]) -> None:
    asked = [_asked(each) for each in chosen]
    forwards = [each.decision for each in asyncio.run(decide_all(wasm_engine, asked))]
    backwards = [each.decision for each in asyncio.run(decide_all(wasm_engine, asked[::-1]))][::-1]
    assert [(d.allow, d.obligations, d.reasons) for d in forwards] == [
        (d.allow, d.obligations, d.reasons) for d in backwards
    ]


@FEW
@given(chosen=several)
def test_what_is_offered_for_all_is_offered_for_each_that_needs_it(
    wasm_engine: WasmEngine, chosen: list[tuple[str, dict[str, Any]]]
) -> None:
    asked = [replace(each, request=replace(each.request, max_vnd=0)) for each in map(_asked, chosen)]
    steps = asyncio.run(nearest_all(wasm_engine, asked))
    raised = [step for step in steps if step.change.code == "limit.raise"]
    assert len(raised) <= 1, "the limit is of the request, and raised once"
    assert not steps or raised
