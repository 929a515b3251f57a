"""ODRL made of the facts permits what the policy allows, wherever ODRL has something to say."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import pytest

from policies.decision import AccessQuestion
from policies.odrl import PROFILE, agreement, offer
from policies.wasm import WasmEngine
from tests.policies.cases import OF_ACCESS, access, codes

SCOPE = re.compile(r"(agreement|purpose|condition|obligations)\.|columns\.not_|version\.not_listed")
"""Codes of denials on which ODRL speaks too; money, standing, consent, class and anonymity are not its matter."""
SILENT = re.compile(r"obligations\.(unknown|conflict)|condition\.(promised_)?records")
KNOWN = {name: pair for name, pair in OF_ACCESS.items() if not any(c.endswith(".missing") for c in pair[1].codes)}


@pytest.mark.parametrize("name", KNOWN)
async def test_what_odrl_permits_and_what_the_policy_allows_agree(name: str, wasm_engine: WasmEngine) -> None:
    base, case = KNOWN[name]
    asked = access(base, case.change)
    denied = [code for code in codes(await wasm_engine.decide(asked)) if SCOPE.match(code)]
    document = agreement(asked.agreement, asked.dataset, owner_id="owner-1")
    assert permits(document, asked) == (not [code for code in denied if not SILENT.match(code)])


def test_an_offer_is_odrl_with_its_columns_purposes_and_bans() -> None:
    asked = access("rows", {"dataset": {"purposes": ["research"], "conditions": {"places": ["VN"]}}})
    document = offer(asked.dataset, owner_id="owner-1")
    assert (document["@context"], document["@type"]) == ("http://www.w3.org/ns/odrl.jsonld", "Offer")
    (permission,) = document["permission"]
    assert permission["target"]["refinement"][0]["rightOperand"] == ["age", "sex", "hours"]
    purposes, places = permission["constraint"]
    assert purposes["dpv"] == ["dpv:AcademicResearch", "dpv:ScientificResearch"]
    assert (places["leftOperand"], places["operator"], places["rightOperand"]) == ("spatial", "isPartOf", ["VN"])
    assert [ban["action"] for ban in document["prohibition"]] == ["sell", "urn:sandulieu:action:reidentify"]


def test_an_offer_tells_its_price_and_which_records_may_be_read() -> None:
    only = {"column": "sex", "in": ["F"], "purposes": ["research.health"]}
    asked = access("rows", {"dataset": {"conditions": {"records": [only]}}})
    (permission,) = offer(asked.dataset, owner_id="owner-1", per_query_vnd=1500)["permission"]
    (paid,) = permission["duty"][0]["action"]
    assert paid["refinement"][0]["leftOperand"] == "payAmount"
    assert paid["refinement"][0]["rightOperand"] == {"@value": "1500", "@type": "xsd:decimal"}
    _, records = permission["target"]["refinement"]
    assert (records[f"{PROFILE}:column"], records["rightOperand"]) == ("sex", ["F"])
    assert records[f"{PROFILE}:purpose"] == ["urn:sandulieu:purpose:research.health"]
    (unpriced,) = offer(asked.dataset, owner_id="owner-1")["permission"]
    assert unpriced["duty"] == [{"action": "compensate"}]


def permits(document: dict[str, Any], asked: AccessQuestion) -> bool:
    """ODRL 2.2 evaluated for this profile: some permission whose parties, target and constraints all fit."""
    if document["assignee"]["source"] != f"urn:sandulieu:organisation:{asked.caller.organisation_id}":
        return False
    world = _world(asked)
    if not all(_holds(each, world) for each in document["assignee"]["refinement"]):
        return False
    if f"urn:sandulieu:dataset:{asked.agreement.dataset_id}" != f"urn:sandulieu:dataset:{asked.dataset.id}":
        return False
    return any(
        all(_holds(each, world) for each in (*permission["target"]["refinement"], *permission["constraint"]))
        for permission in document["permission"]
    )


def _world(asked: AccessQuestion) -> dict[str, Any]:
    promises = asked.agreement.promises
    assert promises is not None
    return {
        "purpose": [f"urn:sandulieu:purpose:{asked.request.purpose}"],
        "dateTime": asked.at_ms,
        "spatial": promises.place,
        f"{PROFILE}:person": [f"urn:sandulieu:person:{asked.caller.person_id}"],
        f"{PROFILE}:column": list(asked.request.columns or ()),
        f"{PROFILE}:institution": [asked.caller.organisation_slug],
        f"{PROFILE}:records": [],  # which of them may be read denies no question: it narrows what is answered
        f"{PROFILE}:users": len(asked.agreement.people or ()),
        f"{PROFILE}:ethicsApproval": bool(promises.ethics_reference),
        f"{PROFILE}:returnResults": promises.returns_results,
    }


def _holds(constraint: dict[str, Any], world: dict[str, Any]) -> bool:
    left, right = world[constraint["leftOperand"]], constraint["rightOperand"]
    if isinstance(right, dict):
        right = round(datetime.fromisoformat(right["@value"]).timestamp() * 1000)
    match constraint["operator"]:
        case "isAnyOf":
            return set(left) <= set(right)
        case "isPartOf":
            return left is not None and any(left == place or left.startswith(f"{place}-") for place in right)
        case "gteq":
            return bool(left >= right)
        case "lt":
            return bool(left < right)
        case "lteq":
            return bool(left <= right)
    return bool(left == right)
