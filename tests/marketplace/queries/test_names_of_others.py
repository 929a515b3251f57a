"""Agreements and tables of another are answered as none, in each mode and at each door: also beside one's own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.market import Market
from tests.marketplace.queries.test_oracles import nameless

DOORS = ("/quote", "/dry-run", "/explain", "")
SECRET = "khach_hang_cua_doi_thu"


def send(market: Market, role: str, name: str) -> str:
    sent = httpx.post(
        f"{market.url}/api/v1/tables",
        data={"name": name},
        files={"file": ("t.csv", b"ma,nhom\n1,a\n")},
        headers={"Authorization": f"Bearer {market.parties.tokens[role]}"},
        timeout=60,
    )
    assert sent.status_code == 201, sent.text
    return str(sent.json()["id"])


@pytest.fixture(scope="module")
def rivals(several: Market) -> Iterator[dict[str, str]]:
    """What the rival has: an agreement on each dataset, and a table."""
    table = send(several, "rival", SECRET)
    owners = {"adult": "owner", "pay": "rival_owner"}
    yield {slug: several.agree(slug, role="rival", owner=owner) for slug, owner in owners.items()}
    assert several.client("rival").delete(f"/api/v1/tables/{table}").status == 204


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("slug", ["adult", "pay"])
def test_anothers_agreement_beside_ones_own_is_answered_as_none(
    several: Market, rivals: dict[str, str], door: str, slug: str
) -> None:
    """On the same dataset or another, in either order: else the refusal says what the rival has agreed on."""
    mine = several.agreements["adult"]
    answers = []
    for other in (rivals[slug], str(uuid.uuid4())):
        for ids in ([mine, other], [other, mine], [other, other]):
            body = several.ask("select count(*) as n from adult, pay") | {"agreement_ids": ids}
            answer = several.client("startup").post(f"/api/v1/queries{door}", body)
            answers.append((answer.status, nameless(answer.json())))
    assert answers[0][0] == 404
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("slug", ["adult", "pay"])
def test_a_hint_never_names_what_only_another_has(
    several: Market, rivals: dict[str, str], door: str, slug: str
) -> None:
    """Rows and aggregate mode: a name one letter off from the rival's table, from a dataset without an agreement,
    from a column that publication left out. The refusal is that of a name which nobody has."""
    near = (SECRET[:-1], SECRET, "query_result", "lineage", "pay" if slug == "adult" else "adult")
    told = [refusal(several, door, slug, f"select count(*) as n from {name}", name) for name in near]
    none = refusal(several, door, slug, "select count(*) as n from zzzzz", "zzzzz")
    assert all(each == none for each in told)
    assert SECRET not in str(told)


def refusal(market: Market, door: str, slug: str, sql: str, name: str) -> Any:
    """What it says, without the name itself and its place."""
    body: dict[str, Any] = (
        market.client("startup").post(f"/api/v1/queries{door}", market.ask(sql, slug=slug)).json()
    )
    assert "sql.unknown_table" in str(body)
    if door == "/dry-run":
        body = {"refusals": body["refusals"], "lines": body["lines"]}
    return str(nameless(body) | {"params": (body.get("params") or {}) | {"word": "*"}}).replace(name, "*")
