"""A preview says what the policy really decides, for every kind of startup and purpose that it tells apart."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from policies.decision import Conditions, DatasetFacts, Decision
from policies.preview import Cell, preview
from policies.purposes import known, never
from policies.wasm import WasmEngine
from tests.policies.cases import access

AT_MS = 1_763_769_600_000
DAY_MS = 86_400_000
DATASET = access("rows", {}).dataset
STRICT = Conditions(
    time_limit_days=90,
    approved_users_max=2,
    institutions=("hospital",),
    places=("VN-HN",),
    ethics_approval=True,
    return_results=True,
)


async def cells(engine: WasmEngine, dataset: DatasetFacts, at_ms: int = AT_MS) -> dict[tuple[str, str], Cell]:
    made = await preview(engine, dataset, at_ms=at_ms, rows_cap=1000)
    found: dict[tuple[str, str], Cell] = {(cell.kind, cell.purpose): cell for cell in made}
    assert len(found) == len(made)
    return found


def _against(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons if reason.severity == "deny"]


async def test_who_meets_the_conditions_asks_for_the_purposes_offered_within_limits(
    wasm_engine: WasmEngine,
) -> None:
    found = await cells(wasm_engine, DATASET)
    assert {kind for kind, _ in found} == {"fit", "suspended", "not_startup"}
    allowed = {purpose for (kind, purpose), cell in found.items() if kind == "fit" and cell.answer.decision.allow}
    assert {"product.rnd", "research.academic"} <= allowed <= known().keys()
    owed = found["fit", "product.rnd"].answer.decision.obligations
    assert owed is not None
    assert owed.columns == DATASET.columns
    assert (owed.max_rows, owed.k_min, owed.expires_at) == (1000, 10, AT_MS + 1095 * DAY_MS)


async def test_a_purpose_that_is_only_akin_waits_for_the_owners_judgement(wasm_engine: WasmEngine) -> None:
    found = await cells(wasm_engine, DATASET)
    akin = found["fit", "research.health"].answer
    assert (akin.judged, akin.decision.allow) == (True, True)
    assert not found["fit", "product.rnd"].answer.judged


@pytest.mark.parametrize("purpose", never())
async def test_what_is_never_allowed_is_denied_to_everybody(purpose: str, wasm_engine: WasmEngine) -> None:
    offered = replace(DATASET, purposes=(*(DATASET.purposes or ()), purpose))
    for (_, asked), cell in (await cells(wasm_engine, offered)).items():
        if asked == purpose:
            assert "purpose.never" in {reason.code for reason in cell.answer.decision.reasons}


async def test_each_condition_is_a_kind_of_startup_that_misses_that_one(wasm_engine: WasmEngine) -> None:
    found = await cells(wasm_engine, replace(DATASET, conditions=STRICT))
    assert found["fit", "product.rnd"].answer.decision.allow
    codes = {
        kind: _against(cell.answer.decision) for (kind, purpose), cell in found.items() if purpose == "product.rnd"
    }
    assert codes == {
        "fit": [],
        "time_limit": ["condition.time_limit"],
        "users": ["condition.users"],
        "institution": ["condition.institution"],
        "place": ["condition.place"],
        "ethics": ["condition.ethics"],
        "results": ["condition.results"],
        "suspended": ["applicant.suspended"],
        "not_startup": ["applicant.not_startup"],
    }


async def test_a_purpose_that_nobody_consented_to_is_denied_where_the_query_is(wasm_engine: WasmEngine) -> None:
    by_consent = replace(DATASET, legal_basis="consent", consented_purposes=("product.rnd",))
    found = await cells(wasm_engine, by_consent)
    allowed, denied = found["fit", "product.rnd"].answer, found["fit", "research.academic"].answer
    assert allowed.decision.obligations is not None
    assert allowed.decision.obligations.consented_to == "product.rnd"
    akin = found["fit", "research.health"].answer
    assert _against(akin.decision) == ["consent.none"], "a judgement alone would not help"
    assert (denied.stage, _against(denied.decision)) == ("access", ["consent.none"])


async def test_before_the_law_is_in_force_nobody_may(wasm_engine: WasmEngine) -> None:
    found = await cells(wasm_engine, DATASET, at_ms=0)
    assert not any(cell.answer.decision.allow for cell in found.values())


async def test_a_fact_that_is_not_known_denies(wasm_engine: WasmEngine) -> None:
    for name in ("persons", "k", "mode", "purposes"):
        blank = msgspec.structs.replace(DATASET, **{name: None})
        found = await cells(wasm_engine, blank)
        assert not any(cell.answer.decision.allow for cell in found.values()), name
