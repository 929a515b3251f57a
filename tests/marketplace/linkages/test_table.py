"""The whole table of a linkage's states: who may do what in each, and what it makes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from marketplace.accounts.models import Organisation
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.linkages.machine import TRANSITIONS
from tests.marketplace.linkages.conftest import Pair

STATES = ("proposed", "approved", "refused", "ended")
VERBS = ("approve", "refuse", "end")
WHO = ("clinic", "bank", "rival")
DOCUMENT = Path(__file__).parents[3] / "docs" / "linkages.md"
SIDES = {"partner's approver": {"bank"}, "lead's approver": {"clinic"}, "either's approver": {"clinic", "bank"}}
"""The clinic has proposed it."""


def documented() -> dict[tuple[str, str], tuple[set[str], str]]:
    """State and verb → who may, and the next state, as docs/linkages.md says."""
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return {(c[0], c[1]): (SIDES[c[2]], c[3]) for c in cells if c[0] in STATES}


TABLE = documented()


def test_the_table_is_the_machines() -> None:
    assert {step: state for step, (_, state) in TABLE.items()} == TRANSITIONS


REASON = "Vì một lý do."


async def brought_to(pair: Pair, state: str) -> str:
    linkage: str = (await pair.propose()).json()["id"]
    if state in ("approved", "ended"):
        await pair.decide(linkage, pair.bank)
    if state == "refused":
        await pair.decide(linkage, pair.bank, "refuse", REASON)
    if state == "ended":
        await end(pair, linkage, "clinic")
    return linkage


async def end(pair: Pair, linkage: str, who: str) -> int:
    token = getattr(pair, who).token
    answer = await pair.client.post(f"/api/v1/linkages/{linkage}/end", token=token, json={"reason": REASON})
    return answer.status_code


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", VERBS)
async def test_who_may_do_what_when(pair: Pair, state: str, verb: str) -> None:
    linkage = await brought_to(pair, state)
    allowed, following = TABLE.get((state, verb), (set(), state))
    for who in sorted(WHO, key=lambda each: each in allowed):
        before = (await pair.read(linkage, pair.clinic))["state"]
        if verb == "end":
            status = await end(pair, linkage, who)
        else:
            status = (await pair.decide(linkage, getattr(pair, who), verb, REASON)).status_code
        after = (await pair.read(linkage, pair.clinic))["state"]
        if who in allowed and before == state:
            assert (status, after) == (200, following)
        else:
            assert (status, after) == (404 if who == "rival" else 409, before)


async def test_a_linkage_needs_another_owner_and_persons_whom_neither_shows(pair: Pair) -> None:
    for partner in ("nobody", pair.clinic.organisation.slug):
        assert (await pair.propose(partner=partner)).json()["code"] == "linkage.no_such_owner"
    nonsense: tuple[dict[str, Any], ...] = (
        {"lead_basis_points": 10_001}, {"purposes": []}, {"purposes": ["resale"]}, {"population": "A B"},
    )  # fmt: skip
    for wrong in nonsense:
        assert (await pair.propose(**wrong)).status_code == 400
    await pair.approved()
    taken = await pair.propose(partner=pair.rival.organisation.slug)
    assert (taken.status_code, taken.json()["code"]) == (409, "linkage.population_taken")


async def test_only_the_first_of_two_proposals_for_the_same_persons_is_approved(pair: Pair) -> None:
    first = (await pair.propose()).json()["id"]
    second = (await pair.propose()).json()["id"]
    assert (await pair.decide(first, pair.bank)).status_code == 200
    answer = await pair.decide(second, pair.bank)
    assert (answer.status_code, answer.json()["code"]) == (409, "linkage.population_taken")


async def test_who_may_knock_at_all(pair: Pair) -> None:
    assert (await pair.client.get("/api/v1/linkages")).status_code == 401
    assert (await pair.client.get("/api/v1/linkages", token=pair.rival.token)).json() == {"items": []}
    linkage = await pair.approved()
    found = (await pair.client.get("/api/v1/linkages", token=pair.bank.token)).json()["items"]
    assert found[0]["id"] == linkage
    assert (found[0]["lead_basis_points"], found[0]["dataset"]) == (6_000, None)


async def test_a_part_is_taken_only_while_the_linkage_stands_and_of_its_persons(pair: Pair) -> None:
    proposed = (await pair.propose()).json()["id"]
    assert (await pair.send(proposed, pair.clinic, range(60))).json()["code"] == "linkage.wrong_state"
    await pair.decide(proposed, pair.bank)
    other = {f"population: {pair.slug}": "population: others"}
    assert (await pair.send(proposed, pair.clinic, range(60), **other)).json()[
        "code"
    ] == "linkage.population_differs"
    owner = {f"owner: {pair.clinic.organisation.slug}": f"owner: {pair.bank.organisation.slug}"}
    answer = await pair.send(proposed, pair.clinic, range(60), **owner)
    assert answer.json()["code"] == "listing.not_your_organisation"
    law = {"law: personal-data-law-91-2025": "law: none-such"}
    answer = await pair.send(proposed, pair.clinic, range(60), **law)
    assert (answer.status_code, answer.json()["code"]) == (403, "listing.denied")
    await end(pair, proposed, "bank")
    assert (await pair.send(proposed, pair.clinic, range(60))).json()["code"] == "linkage.wrong_state"


async def test_an_owner_that_is_suspended_enters_into_no_linkage(pair: Pair, database: Database) -> None:
    first = (await pair.propose()).json()["id"]
    suspended = update(Organisation).where(Organisation.id == pair.bank.organisation.id)
    for at in (utcnow(), None):
        async with database.session() as session:
            await session.execute(suspended.values(suspended_at=at))
        if at is not None:
            assert (await pair.propose()).json()["code"] == "linkage.no_such_owner"
        answer = await pair.decide(first, pair.bank)
        assert answer.json().get("code", "approved") == ("auth.organisation_suspended" if at else "approved")
