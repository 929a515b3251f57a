"""The whole table of a publication's states, as docs/publish.md has it: who may do what in each."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketplace.publications.machine import OPEN, TRANSITIONS
from tests.marketplace.publications.conftest import Desk

DOCUMENT = Path(__file__).parents[3] / "docs" / "publish.md"
STATES = (*OPEN, "listed", "cancelled")
VERBS = ("override", "retry", "submit", "approve", "return", "cancel")
WHO = ("anonymous", "startup", "rival", "operator", "steward", "approver")


def documented() -> dict[tuple[str, str], tuple[str, str]]:
    """State and verb → who may, and the next state."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {(c[0], c[1]): (c[2], c[3]) for c in cells if len(c) == 4 and c[0] in STATES}


TABLE = documented()


def test_the_table_is_the_machines() -> None:
    assert {step: state for step, (_, state) in TABLE.items()} == TRANSITIONS


@pytest.mark.parametrize("state", STATES)
async def test_who_may_do_what_when(desk: Desk, state: str) -> None:
    for verb in VERBS:
        publication = await desk.put(state)
        allowed, following = TABLE.get((state, verb), ("", state))
        for who in sorted(WHO, key=lambda each: each == allowed):
            answer = await desk.step(publication, who, verb)
            after = (await desk.read(publication))["state"]
            if verb == "override" and who == allowed:
                assert (answer.json()["code"], after) == ("publication.nothing_to_override", state)
            elif who == allowed:
                assert (answer.status_code, after) == (200, following), (verb, who, answer.text)
            else:
                assert after == state, (verb, who)
                assert answer.status_code == _refusal(state, verb, who), (verb, who, answer.text)


def _refusal(state: str, verb: str, who: str) -> int:
    """Nobody known: 401; a stranger learns nothing; a colleague in the wrong office or too early is told."""
    if who == "anonymous":
        return 401
    if who in ("startup", "rival") or (who == "operator" and state != "reviewing"):
        return 404
    judges = verb in ("approve", "return")
    office = "operator" if judges and state == "reviewing" else "approver" if judges else "steward"
    return 409 if who == office else 403


@pytest.mark.parametrize(("state_class", "following"), [("internal", "listing"), ("important", "reviewing")])
async def test_classes_that_need_it_go_to_the_operator_too(desk: Desk, state_class: str, following: str) -> None:
    publication = await desk.put("approving", state_class=state_class)
    assert (await desk.client.get("/api/v1/publications", token=desk.tokens["operator"])).status_code == 200
    assert (await desk.step(publication, "approver", "approve")).json()["state"] == following
    seen = await desk.client.get(f"/api/v1/publications/{publication}", token=desk.tokens["operator"])
    assert seen.status_code == (200 if following == "reviewing" else 404)


async def test_nobody_approves_her_own_work(desk: Desk) -> None:
    sent = await desk.put("approving")
    await desk.set(sent, sent_by=desk.people["both"])
    submitted = await desk.put("checking")
    assert (await desk.step(submitted, "both", "submit")).status_code == 200
    for publication in (sent, submitted):
        answer = await desk.step(publication, "both", "approve")
        assert (answer.status_code, answer.json()["code"]) == (403, "publication.own_work")
        may = (await desk.read(publication))["may"]
        assert "approve" not in may, "who may not is not offered it"
        assert "return" in may
        assert (await desk.step(publication, "approver", "approve")).json()["state"] == "listing"


async def test_each_item_of_the_checklist_is_ticked_and_a_return_says_why(desk: Desk) -> None:
    publication = await desk.put("checking")
    short = await desk.step(publication, "steward", "submit", checklist=["basis_holds"])
    assert (short.status_code, short.json()["errors"][0]["code"]) == (400, "publication.checklist")
    task = (await desk.read(publication))["task"]
    assert set(task) >= {"who", "what", "when", "responsibility", "product", "authority"}
    assert (await desk.step(publication, "steward", "submit")).status_code == 200
    assert (await desk.step(publication, "approver", "return", reason="")).status_code == 400
    assert (await desk.step(publication, "approver", "return", reason=REASON)).status_code == 200
    answer = await desk.read(publication)
    assert (answer["state"], [step["verb"] for step in answer["steps"]]) == ("checking", ["submit", "return"])


REASON = "Thiếu nguồn gốc của cột."
