"""The page `Vì sao?`: from a refusal, from an agreement, from a decision; each party with its own facts."""

from __future__ import annotations

import re

import pytest

from marketplace.audit.receipt import Edition, opens
from tests.market import SMALL_SQL, Market
from tests.visits import Visitor, visiting


@pytest.fixture
def address(market: Market) -> str:
    return f"/agreements/{market.agreements['adult']}/why"


def test_only_an_analyst_of_the_startup_is_told_why(market: Market, address: str) -> None:
    with visiting(market, None) as nobody:
        assert nobody.get(address).headers["Location"].startswith("/login")
    for role, status in (("rival", 404), ("owner", 403), ("regulator", 403), ("startup", 200)):
        with visiting(market, role) as visitor:
            assert visitor.get(address).status_code == status, role
            asked = visitor.send(address, {"sql": SMALL_SQL})
            assert asked.status_code == status, role


def test_an_agreement_leads_to_a_first_question_that_passes_every_gate(market: Market, address: str) -> None:
    with visiting(market, "startup") as visitor:
        assert f'href="{address}"' in visitor.get(address.removesuffix("/why")).text
        page = visitor.get(address).text
        assert "Được phép trong giới hạn" in page
        assert page.count("Không qua") == 0
        assert page.count(">Qua<") > 20


def test_a_refusal_leads_to_the_gate_the_law_the_remedy_and_what_is_allowed(market: Market, address: str) -> None:
    with visiting(market, "startup") as visitor:
        market.client("startup").post("/api/v1/queries", market.ask(purpose="product.rnd"))
        refused = visitor.get("/queries").text
        assert "/queries/" in refused
        denied = next(
            page
            for id in re.findall(r'href="/queries/([0-9a-f-]{36})"', refused)
            if "Bị từ chối" in (page := visitor.get(f"/queries/{id}").text)
        )
        assert f'action="{address}"' in denied
        page = visitor.send(address, {"sql": SMALL_SQL, "purpose": "product.rnd"}).text
    assert 'value="product.rnd" selected' in page
    for told in (
        "purpose.agreed",
        "Không qua",
        "Nghị định 356/2025",
        "decree-356-2025.consent",
        "Chọn mục đích khác",
        "Gần nhất được phép",
        "Hỏi với mục đích Nghiên cứu khoa học (research.academic)",
    ):
        assert told in page, told


def test_sql_that_is_not_understood_is_shown_where_it_is_wrong(market: Market, address: str) -> None:
    with visiting(market, "startup") as visitor:
        answer = visitor.send(address, {"sql": "select educaton from adult"})
    assert "<mark>educaton</mark>" in answer.text


@pytest.fixture(scope="module")
def denied(market: Market) -> str:
    """The event of a denied query."""
    problem = market.client("startup").post("/api/v1/queries", market.ask(purpose="product.rnd")).json()
    events = market.client("startup").get("/api/v1/audit/events?name=query:deny").json()["items"]
    return next(str(e["id"]) for e in events if e["query_id"] == problem["params"]["query_id"])


def _shown(visitor: Visitor, event: str) -> dict[str, str]:
    """Fact → what its page shows, of the gates of a decision."""
    page = visitor.get(f"/log/events/{event}/why").text.replace("\u200b", "")
    found = re.findall(r'<span class="code">(\w+\.\w+)</span></dt><dd>(.*?)</dd>', page)
    return {name: re.sub("<.*?>", "", value) for name, value in found}


def test_a_decision_is_told_to_its_parties_and_to_nobody_else(market: Market, denied: str) -> None:
    address = f"/log/events/{denied}/why"
    with visiting(market, None) as nobody:
        assert nobody.get(address).headers["Location"].startswith("/login")
    for role, status in (
        ("rival", 404),
        ("rival_owner", 404),
        ("operator", 404),
        ("owner", 200),
        ("startup", 200),
    ):
        with visiting(market, role) as visitor:
            assert visitor.get(address).status_code == status, role
    with visiting(market, "regulator") as regulator:
        assert f'href="{address}"' in regulator.get(f"/log/events/{denied}").text
        assert "purpose.agreed" in regulator.get(address).text


def test_each_party_sees_the_facts_that_its_receipt_opens(market: Market, denied: str) -> None:
    hidden = "không hiện cho bên của bạn"
    roles: tuple[Edition, ...] = ("startup", "owner")
    for role in roles:
        with visiting(market, role) as visitor:
            shown = _shown(visitor, denied)
        assert len(shown) > 30
        assert {name for name, value in shown.items() if value == hidden} == {
            name for name in shown if not opens("access", role, name)
        }
    with visiting(market, "regulator") as regulator:
        assert hidden not in _shown(regulator, denied).values()


def test_an_owner_is_not_told_what_a_startups_wallet_lacks(market: Market) -> None:
    market.client("startup").post("/api/v1/queries/quote", market.ask(max_vnd=0))
    events = market.client("owner").get("/api/v1/audit/events?name=quote:deny").json()["items"]
    told = {}
    for role in ("owner", "startup"):
        with visiting(market, role) as visitor:
            told[role] = visitor.get(f"/log/events/{events[0]['id']}/why").text
    assert "Gần nhất được phép" in told["startup"]
    assert "Gần nhất được phép" not in told["owner"]


def test_an_event_that_decides_no_query_has_no_gates(market: Market) -> None:
    events = market.client("owner").get("/api/v1/audit/events?name=application:accept").json()["items"]
    with visiting(market, "owner") as visitor:
        assert visitor.get(f"/log/events/{events[0]['id']}/why").status_code == 404
        assert f"/log/events/{events[0]['id']}/why" not in visitor.get(f"/log/events/{events[0]['id']}").text
