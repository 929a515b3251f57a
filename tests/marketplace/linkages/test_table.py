"""The whole table of a linkage's states: who may do what in each, and what it makes of it."""

from __future__ import annotations

import pytest

from marketplace.linkages.machine import TRANSITIONS
from tests.marketplace.linkages.conftest import Pair

STATES = ("proposed", "approved", "refused", "ended")
VERBS = ("approve", "refuse", "end")
WHO = ("clinic", "bank", "rival")
BY = {
    ("proposed", "approve"): {"bank"}, ("proposed", "refuse"): {"bank"}, ("proposed", "end"): {"clinic"},
    ("approved", "end"): {"clinic", "bank"},
}  # fmt: skip
"""The clinic has proposed it."""
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
    allowed = BY.get((state, verb), set())
    for who in sorted(WHO, key=lambda each: each in allowed):
        before = (await pair.read(linkage, pair.clinic))["state"]
        if verb == "end":
            status = await end(pair, linkage, who)
        else:
            status = (await pair.decide(linkage, getattr(pair, who), verb, REASON)).status_code
        after = (await pair.read(linkage, pair.clinic))["state"]
        if who in allowed and before == state:
            assert (status, after) == (200, TRANSITIONS[state, verb])
        else:
            assert (status, after) == (404 if who == "rival" else 409, before)


async def test_a_linkage_needs_another_owner_and_persons_whom_neither_shows(pair: Pair) -> None:
    for partner in ("nobody", pair.clinic.organisation.slug):
        assert (await pair.propose(partner=partner)).json()["code"] == "linkage.no_such_owner"
    for wrong in (
        {"lead_basis_points": 10_001},
        {"purposes": []},
        {"purposes": ["resale"]},
        {"population": "A B"},
    ):
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
    assert [each["id"] for each in found] == [linkage]
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
