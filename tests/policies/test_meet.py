"""Laws of the meet of obligations: order does not matter, a constraint never loosens, an unknown one denies."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from policies.decision import AccessQuestion, Beside, Obligations
from policies.sources import data
from policies.wasm import WasmEngine
from tests.policies.cases import access, codes
from tests.policies.test_laws import AT_MS, MANY, bases, decide

AXES: dict[str, st.SearchStrategy[Any]] = {
    "mode": st.sampled_from(["rows", "aggregate"]),
    "k_min": st.integers(1, 14),
    "max_rows": st.integers(0, 20_000),
    "max_bytes": st.integers(0, 2**25),
    "expires_at": st.integers(AT_MS - 2, AT_MS + 10**12),
    "recheck_after": st.integers(AT_MS, AT_MS + 10**6),
    "consented_to": st.sampled_from(["product.rnd", "research.academic"]),
}
sources = st.lists(st.sampled_from(tuple(AXES)), unique=True, max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: AXES[name] for name in names})
)
many = st.lists(sources, max_size=4)


def _asked(base: str, limits: dict[str, Any], others: list[dict[str, Any]]) -> AccessQuestion:
    """With what the owner granted, and other datasets of the same query that were decided before."""
    asked = access(base, {"agreement": {"limits": limits}, "request": {"columns": ["age", "sex"]}})
    beside = tuple(
        Beside(obligations=other, persons=1, disclosed=True, basic=False, sensitive=False) for other in others
    )
    return replace(asked, request=replace(asked.request, beside=beside))


@MANY
@given(base=bases, limits=sources, others=many, seed=st.integers(0, 2**32))
def test_the_order_of_sources_does_not_matter(
    wasm_engine: WasmEngine, base: str, limits: dict[str, Any], others: list[dict[str, Any]], seed: int
) -> None:
    shuffled = list(others)
    random.Random(seed).shuffle(shuffled)
    first, second = (
        decide(wasm_engine, _asked(base, limits, others)),
        decide(wasm_engine, _asked(base, limits, shuffled)),
    )
    assert (first.allow, first.obligations, codes(first)) == (second.allow, second.obligations, codes(second))


@MANY
@given(base=bases, limits=sources, others=many, more=sources)
def test_one_source_more_never_loosens(
    wasm_engine: WasmEngine, base: str, limits: dict[str, Any], others: list[dict[str, Any]], more: dict[str, Any]
) -> None:
    before = decide(wasm_engine, _asked(base, limits, others))
    after = decide(wasm_engine, _asked(base, limits, [*others, more]))
    assert before.allow or not after.allow
    if before.obligations and after.obligations:
        _not_looser(before.obligations, after.obligations)


@MANY
@given(base=bases, columns=st.lists(st.sampled_from(["age", "sex", "hours"]), unique=True), limits=sources)
def test_granting_some_columns_lets_no_other_be_read(
    wasm_engine: WasmEngine, base: str, columns: list[str], limits: dict[str, Any]
) -> None:
    decision = decide(wasm_engine, _asked(base, limits | {"columns": columns}, []))
    assert not decision.allow or {"age", "sex"} <= set(columns)


@MANY
@given(
    base=bases, limits=sources, name=st.text(min_size=1, max_size=12), value=st.none() | st.integers() | st.text()
)
def test_an_obligation_that_nobody_knows_denies(
    wasm_engine: WasmEngine, base: str, limits: dict[str, Any], name: str, value: object
) -> None:
    if name in data()["limits"]["enforced"]:
        return
    decision = decide(wasm_engine, _asked(base, limits | {name: value}, []))
    assert not decision.allow
    assert "obligations.unknown" in codes(decision)


@MANY
@given(
    base=bases, axis=st.sampled_from(["k_min", "max_rows", "max_bytes", "expires_at"]), value=st.text() | st.none()
)
def test_an_obligation_of_another_form_denies(
    wasm_engine: WasmEngine, base: str, axis: str, value: str | None
) -> None:
    assert "obligations.unknown" in codes(decide(wasm_engine, _asked(base, {axis: value}, [])))


def _not_looser(before: Obligations, after: Obligations) -> None:
    assert after.mode == before.mode
    assert set(after.columns) <= set(before.columns)
    assert after.k_min >= before.k_min
    for axis in ("max_rows", "max_bytes", "expires_at", "recheck_after"):
        assert getattr(after, axis) <= getattr(before, axis), axis
    assert before.consented_to in {None, after.consented_to}
