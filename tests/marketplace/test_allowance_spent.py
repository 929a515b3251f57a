"""What a tenant and an address may have without paying, of a real service with what is usual or less."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from marketplace.accounts.allowance import LASTING, PAGE, QUESTION
from marketplace.cli.client import Answer, Client
from tests.market import EXAMPLES, Market
from tests.prepared import Prepared

AT_ONCE, THREADS = 600, 8
DATASETS, QUERIES = "/api/v1/datasets", "/api/v1/queries"
OWN = "/api/v1/agreements"
"""Nobody reads it without saying who it is."""


@pytest.fixture(scope="module")
def scarce(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """So much at once and next to nothing that comes back: what is told is exact."""
    bounds = {
        f"SANDULIEU_{payer}_FREE_POINTS_{what}": str(points)
        for payer in ("TENANT", "ADDRESS")
        for what, points in (("AT_ONCE", AT_ONCE), ("PER_MINUTE", 1))
    }
    market = prepared.open_market(
        tmp_path_factory.mktemp("scarce") / "home", **bounds, SANDULIEU_SWEEP_INTERVAL_S="1"
    )
    market.start()
    market.credit()
    market.publish("adult", EXAMPLES / "adult" / "manifest.yaml", EXAMPLES / "adult" / "adult.csv.gz")
    market.agree("adult")
    yield market
    market.stop()


@pytest.fixture
def fresh(scarce: Market) -> Market:
    """With all that there is at once."""
    scarce.stop()
    scarce.start()
    return scarce


def statuses(answers: list[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def at_once(count: int, ask: Callable[[int], Answer]) -> list[Answer]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(ask, range(count)))


def test_denials_come_out_of_one_allowance_and_no_more_is_logged_than_it_allows(fresh: Market) -> None:
    """However many ask at once; each denial that is told is in the log."""
    startup, body = fresh.client("startup"), fresh.ask(purpose="marketing.targeted")
    answers = at_once(40, lambda _: startup.post(QUERIES, body))
    told = statuses(answers)
    assert set(told) == {403, 429}
    each = PAGE + QUESTION + LASTING
    assert AT_ONCE // each <= told[403] <= AT_ONCE // each + THREADS * LASTING // each + 1
    refused = next(answer for answer in answers if answer.status == 429)
    problem = refused.json()
    assert (problem["code"], refused.headers["content-type"]) == ("allowance.spent", "application/problem+json")
    assert refused.headers["retry-after"] == str(problem["params"]["retry_after_s"])
    assert set(problem["messages"]) == {"vi", "en"}
    denied = fresh.client("regulator").get("/api/v1/audit/events?name=query:deny&limit=500").json()["items"]
    assert len({each["query_id"] for each in denied}) == told[403]
    # Nobody else pays for it: not another tenant, not the address.
    assert fresh.client("rival").get(OWN).ok
    assert fresh.client(None).get(DATASETS).ok


def test_what_is_paid_for_is_never_refused_however_much_of_it_there_is(fresh: Market) -> None:
    startup = fresh.client("startup")
    answers = at_once(AT_ONCE // QUESTION * 2, lambda _: startup.post(QUERIES, fresh.ask()))
    assert statuses(answers) == {201: len(answers)}


def test_an_address_has_its_own_and_pages_tell_it_in_the_readers_language(fresh: Market) -> None:
    nobody = fresh.client(None)
    told = statuses(at_once(AT_ONCE + 50, lambda _: nobody.get(DATASETS)))
    assert set(told) == {200, 429}
    assert told[429] >= 50 - 1
    page = nobody.get("/", accept="text/html")
    assert (page.status, "miễn phí" in page.body.decode()) == (429, True)
    assert "retry-after" in page.headers
    for always in ("/healthz", "/readyz", "/static/style.css"):
        assert nobody.get(always).status in (200, 404)
    assert fresh.client("startup").get(OWN).ok
    assert Client(fresh.url, "sdl_made_up").get(OWN).status == 429


def test_the_operator_is_told_which_tenant_asked_for_too_much(fresh: Market) -> None:
    rival, operator = fresh.client("rival"), fresh.client("operator")
    at_once(AT_ONCE + 5, lambda _: rival.get(OWN))
    until = time.monotonic() + 60
    about: list[str] = []
    while str(fresh.person("rival").organisation_id) not in about and time.monotonic() < until:
        alerts = operator.get("/api/v1/alerts").json()["items"]
        about = [each["organisation_id"] for each in alerts if each["rule"] == "free_spent"]
        time.sleep(0.5)
    assert str(fresh.person("rival").organisation_id) in about
    figures = fresh.client("regulator").get("/metrics").body.decode().splitlines()
    assert any(
        each.startswith('sandulieu_free_refused_total{payer="tenant"} ') and each[-2:] != " 0" for each in figures
    )
