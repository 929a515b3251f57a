"""dp mode through the real service: noise, budget, stored answers, and nothing beside the answer that tells."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.rows import dict_row

from marketplace.cli.client import Answer
from marketplace.db import embedded
from marketplace.db.roles import OWNER
from sandulieu_client import connect
from tests.catalog.private import HEADER, MANIFEST, households
from tests.catalog.small import write
from tests.market import PURPOSE, Market

SHARE = 400_000
COUNT = "SELECT count(*) AS n FROM survey"


@pytest.fixture(scope="module")
def survey(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """The market with the survey, which can grant two agreements, and one of them."""
    folder = tmp_path_factory.mktemp("survey")
    market.publish("survey", *files(folder))
    market.agree("survey")
    return market


def files(folder: Path, **changed: str) -> tuple[Path, Path]:
    """Manifest and rows of the survey, with what the market asks of every manifest."""
    manifest = folder / "manifest.yaml"
    said = MANIFEST.replace("owner: test", "owner: cuc-du-lieu-mau").replace(
        "{kind: consent, law: test}", "{kind: consent, law: personal-data-law-91-2025}"
    )
    for name, value in changed.items():
        assert f"{name}: " in said
        said = re.sub(rf"\b{name}: [^,}}\n]+", f"{name}: {value}", said, count=1)
    manifest.write_text(said, encoding="utf-8")
    return manifest, write(folder / "rows.csv", households(), HEADER)


def ask(market: Market, sql: str, *, agreement: str = "survey", **more: Any) -> Answer:
    return market.client("startup").post("/api/v1/queries", market.ask(sql, slug=agreement, **more))


def rows(market: Market, query: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = market.client("startup").get(f"/api/v1/queries/{query['id']}/result").json()
    return found


def left(market: Market, agreement: str = "survey") -> dict[str, Any]:
    path = f"/api/v1/agreements/{market.agreements[agreement]}/budget"
    found: dict[str, Any] = market.client("startup").get(path).json()
    return found


def test_a_query_spends_what_its_quote_says_and_its_intervals_hold_the_truth(survey: Market) -> None:
    figures = "count(*) AS n, avg(age) AS age, quantile_cont(age, 0.9) AS old"
    sql = f"SELECT province, {figures} FROM survey GROUP BY province"
    before = left(survey)
    asked = survey.ask(sql, slug="survey", rho_micro=90_000)
    quote = survey.client("startup").post("/api/v1/queries/quote", asked).json()
    assert quote["privacy"]["rho_micro"] == 90_000
    tried = survey.client("startup").post("/api/v1/queries/dry-run", asked).json()
    assert tried["privacy"] == quote["privacy"]
    with connect(survey.url, survey.parties.tokens["startup"]) as connection:
        question = connection.query(sql, agreement=survey.agreements["survey"], rho_micro=90_000)
        assert question.quote().body["privacy"] == quote["privacy"]
    assert quote["privacy"]["margins"][0]["column"] == "n"
    assert left(survey) == before
    query = ask(survey, sql, rho_micro=90_000).json()
    assert (query["state"], query["rho_micro"]) == ("ready", 90_000)
    assert query["decision"]["obligations"]["epsilon"] == quote["privacy"]["epsilon"]
    assert left(survey)["left_micro"] == before["left_micro"] - 90_000
    found = {row["province"]: row for row in rows(survey, query)}
    assert set(found) == {"Huế", "Hà Nội", "Cần Thơ", "Cao Bằng", None}
    # Five margins are some 12 standard deviations: no sound answer misses by that.
    far = 5 * quote["privacy"]["margins"][0]["margin"]
    assert abs(found["Huế"]["n"] - 1000) < far
    assert abs(found["Cao Bằng"]["n"]) < far
    for figure in ("age", "old"):
        assert found["Huế"][f"{figure}__low"] <= found["Huế"][figure] <= found["Huế"][f"{figure}__high"]
    assert survey.reconciled()


@contextmanager
def before_it_settles(market: Market) -> Iterator[psycopg.Connection[Any]]:
    """Queries run, and do not settle until this is left; the connection writes at once."""
    address = embedded.url(market.home, OWNER)
    with psycopg.connect(address, autocommit=True) as writing, psycopg.connect(address) as held:
        held.execute(
            "select pg_advisory_xact_lock(hashtextextended(current_version_id, 0)) from dataset where id = %s",
            (market.datasets["survey"],),
        )
        yield writing


@pytest.mark.parametrize(
    ("bars", "lets", "code"),
    [
        (
            "update agreement set ended_at = now() where id = %(agreement)s",
            "update agreement set ended_at = null where id = %(agreement)s",
            "query.agreement_ended",
        ),
        (
            "update person set deactivated_at = now() where id = %(person)s",
            "update person set deactivated_at = null where id = %(person)s",
            "query.caller_barred",
        ),
    ],
)
def test_what_ran_in_the_jail_costs_its_budget_and_no_money_if_it_may_not_settle(
    survey: Market, bars: str, lets: str, code: str
) -> None:
    """Else whoever can end an agreement, its own too, learns for nothing how long the jail worked."""
    money, budget = survey.balance()["available_vnd"], left(survey)
    whose = {"agreement": survey.agreements["survey"], "person": survey.person("startup").person_id}
    sql = f"SELECT count(*) FROM survey WHERE age < {len(code)}"
    with before_it_settles(survey) as connection:
        entered = ask(survey, sql, rho_micro=7_000, wait_s=0)
        assert entered.status == 202
        connection.execute(bars, whose)
    query = settled(survey, entered.json()["id"])
    with psycopg.connect(embedded.url(survey.home, OWNER)) as connection:
        connection.execute(lets, whose)
    assert (query["state"], query["failure"]["code"]) == ("failed", code)
    assert (query["charged_vnd"], query["rho_micro"]) == (0, 7_000)
    after = left(survey)
    assert (after["left_micro"], after["held_micro"]) == (budget["left_micro"] - 7_000, budget["held_micro"])
    assert survey.balance()["available_vnd"] == money
    assert survey.reconciled()


def settled(market: Market, query_id: str) -> dict[str, Any]:
    """Read as the operator's database has it: whom it bars may not ask."""
    with psycopg.connect(embedded.url(market.home, OWNER), autocommit=True, row_factory=dict_row) as connection:
        until = time.monotonic() + 30
        while time.monotonic() < until:
            found = connection.execute("select * from query where id = %s", (query_id,)).fetchone()
            assert found is not None
            if found["state"] not in ("queued", "running"):
                return found
            time.sleep(0.05)
    raise AssertionError(f"query {query_id} does not settle")


def test_the_same_question_again_gives_the_stored_answer_for_nothing(survey: Market) -> None:
    first = ask(survey, COUNT).json()
    money, budget = survey.balance()["available_vnd"], left(survey)
    again = ask(survey, "select COUNT(*) as n  from survey").json()
    assert (again["charged_vnd"], again["rho_micro"], again["state"]) == (0, 0, "ready")
    assert rows(survey, again) == rows(survey, first)
    assert (survey.balance()["available_vnd"], left(survey)) == (money, budget)
    dearer = ask(survey, COUNT, rho_micro=20_000).json()
    assert dearer["rho_micro"] == 20_000
    assert left(survey)["left_micro"] == budget["left_micro"] - 20_000


def test_an_answer_erased_is_bought_anew_and_one_that_cannot_be_read_only_once(survey: Market) -> None:
    sql = "SELECT count(*) AS n FROM survey WHERE age > 90"
    bought = [ask(survey, sql, rho_micro=2_000).json()]
    erased = survey.client("startup").delete(f"/api/v1/queries/{bought[0]['id']}").json()
    assert (erased["state"], erased["failure"]["code"]) == ("cancelled", "query.answer_erased")
    assert "budget" in erased["failure"]["messages"]["en"]["next"]
    bought.append(ask(survey, sql, rho_micro=2_000).json())
    with psycopg.connect(embedded.url(survey.home, OWNER)) as connection:
        done = connection.execute("update private_answer set body = 'x' where query_id = %s", (bought[1]["id"],))
        assert done.rowcount == 1
    bought.append(ask(survey, sql, rho_micro=2_000).json())
    assert [query["rho_micro"] for query in bought] == [2_000] * 3
    again = ask(survey, sql, rho_micro=2_000).json()
    assert again["rho_micro"] == 0
    assert rows(survey, again) == rows(survey, bought[2])


@contextmanager
def _browser(market: Market) -> Iterator[httpx.Client]:
    """The startup's analyst, signed in at the pages."""
    person = market.person("startup")
    with httpx.Client(base_url=market.url, timeout=60) as browser:
        token = re.search(r'name="login_token" value="([^"]+)"', browser.get("/login").text)
        assert token
        fields = {"login_token": token[1], "email": person.email, "password": person.password, "next": "/"}
        assert browser.post("/login", data=fields).status_code == 303
        yield browser


def test_the_pages_show_the_budget_and_ask_within_it(survey: Market) -> None:
    agreement, budget = survey.agreements["survey"], left(survey)
    with _browser(survey) as browser:
        assert f"/agreements/{agreement}/budget" in browser.get(f"/agreements/{agreement}").text
        assert "/budget" not in browser.get(f"/agreements/{survey.agreements['adult']}").text
        page = browser.get(f"/agreements/{agreement}/budget").text
        assert f"{budget['left_micro']:,}".replace(",", ".") in page
        assert [row["rho_micro"] for row in budget["choices"]][:3] == [1_000, 10_000, 50_000]
        console = browser.get(f"/console?agreement={agreement}").text
        csrf = re.search(r'name="csrf_token" value="([^"]+)"', console)
        assert csrf
        assert 'name="rho_micro"' in console
        asked = {"csrf_token": csrf[1], "agreement": agreement, "sql": "SELECT sum(age) FROM survey", "key": ""}
        quoted = browser.post("/console/quote", data={**asked, "rho_micro": "3000"}).text
        assert 'name="rho_micro" value="3000"' in quoted
        assert "3.000 phần triệu ρ" in quoted
        assert browser.post("/console/quote", data={**asked, "rho_micro": "0"}).status_code == 400
    assert left(survey) == budget


def _send_table(market: Market, content: str) -> str:
    sent = httpx.post(
        f"{market.url}/api/v1/tables",
        data={"name": "noi_lam"},
        files={"file": ("t.csv", content.encode())},
        headers={"Authorization": f"Bearer {market.parties.tokens['startup']}"},
        timeout=60,
    )
    assert sent.status_code == 201, sent.text
    return str(sent.json()["id"])


def test_an_own_table_chooses_persons_by_a_declared_column_and_a_new_one_makes_a_new_question(
    survey: Market,
) -> None:
    sql = "SELECT count(*) AS n FROM survey WHERE province IN (SELECT tinh FROM noi_lam)"
    spent = []
    for content, chosen in (("tinh\nHuế\nHuế\nĐà Nẵng\n", 1_000), ("tinh\nHuế\nHà Nội\n", 2_000)):
        table = _send_table(survey, content)
        for _ in range(2):
            query = ask(survey, sql, rho_micro=4_000).json()
            assert query["state"] == "ready", query
            # Five margins: no sound answer misses by that, nor would 1,000 persons more or less pass.
            assert abs(rows(survey, query)[0]["n"] - chosen) < 5 * 22
            spent.append(query["rho_micro"])
        assert survey.client("startup").delete(f"/api/v1/tables/{table}").status == 204
    assert spent == [4_000, 0, 4_000, 0]


def test_a_dry_run_of_sql_that_is_not_understood_tells_of_the_budget_only_what_is_wrong(survey: Market) -> None:
    def refused(sql: str, rho_micro: int) -> list[str]:
        asked = survey.ask(sql, slug="survey", rho_micro=rho_micro)
        tried = survey.client("startup").post("/api/v1/queries/dry-run", asked).json()
        return [each["code"] for each in tried["refusals"]]

    assert refused("SELECT count(*) FROM surve", 5_000) == ["sql.unknown_table"]
    assert refused("SELECT 1", 5_000) == ["sql.private_shape"]
    too_much = left(survey)["left_micro"] + 1
    assert refused("SELECT count(*) FROM surve", too_much) == ["sql.unknown_table", "budget.spent"]


def test_what_is_left_is_denied_to_the_last_millionth_with_the_reason(survey: Market) -> None:
    answer = ask(survey, COUNT, rho_micro=left(survey)["left_micro"] + 1)
    assert (answer.status, [r["code"] for r in answer.json()["reasons"]]) == (403, ["budget.spent"])


def test_usage_tells_no_more_than_the_answer(survey: Market) -> None:
    query = ask(survey, "SELECT count(*) FROM survey WHERE age > 50").json()
    usage = survey.client("startup").get(f"/api/v1/queries/{query['id']}/receipt")
    while usage.status != 200:
        usage = survey.client("startup").get(f"/api/v1/queries/{query['id']}/receipt")
    told = {
        fact["name"]: int(fact["value"]) for fact in usage.json()["settled"]["facts"] if "usage" in fact["name"]
    }
    assert told["usage.wall_us"] % 250_000 == 0
    assert told["usage.wall_us"] > 0
    assert (told["usage.cpu_us"], told["usage.peak_memory_bytes"]) == (0, 0)
    version = survey.client(None).get("/api/v1/datasets/survey").json()["version"]
    assert (version["rows"], version["persons"]) == (5000, 5000)
    assert query["bytes"] == 8 * 5000


def withdraw(market: Market, subject: str) -> None:
    event = {
        "dataset_id": market.datasets["survey"], "subject": subject, "purpose": PURPOSE, "event": "withdrawn",
        "at": datetime.now(UTC).isoformat(),
    }  # fmt: skip
    assert market.client("owner").post("/api/v1/consents/events", event).status == 201


def test_a_quote_of_nothing_is_for_its_rho_and_while_the_stored_answer_stands(survey: Market) -> None:
    sql = "SELECT count(*) AS n FROM survey WHERE age > 70"
    listed = ask(survey, sql, rho_micro=5_000).json()["charged_vnd"]
    assert listed > 0
    asked = survey.ask(sql, slug="survey", rho_micro=5_000)
    quote = survey.client("startup").post("/api/v1/queries/quote", asked).json()
    assert (quote["quote_vnd"], quote["privacy"]["stored"]) == (0, True)
    money, budget = survey.balance()["available_vnd"], left(survey)
    other = ask(survey, sql, rho_micro=20_000, quote_id=quote["id"])
    assert (other.status, other.json()["code"]) == (409, "quote.mismatch")
    free = ask(survey, sql, rho_micro=5_000, quote_id=quote["id"]).json()
    assert (free["state"], free["charged_vnd"], free["rho_micro"]) == ("ready", 0, 0)
    withdraw(survey, "P00043")
    late = ask(survey, sql, rho_micro=5_000, quote_id=quote["id"])
    assert (late.status, late.json()["code"]) == (409, "quote.expired")
    assert (survey.balance()["available_vnd"], left(survey)) == (money, budget)
    assert ask(survey, sql, rho_micro=5_000).json()["charged_vnd"] == listed


def test_a_withdrawal_makes_the_question_a_new_one(survey: Market) -> None:
    sql = "SELECT count(*) FROM survey WHERE insured"
    first = ask(survey, sql).json()
    withdraw(survey, "P00042")
    again = ask(survey, sql).json()
    assert again["lines"][0]["revision"] == first["lines"][0]["revision"] + 1
    assert again["rho_micro"] == first["rho_micro"]


def second_agreement(market: Market) -> None:
    """Of the survey, with answers of two rows at most."""
    slug = "survey_of_two_rows"
    market.datasets[slug] = market.datasets["survey"]
    market.agree(slug, max_rows=2)


def test_32_at_once_never_overspend_and_a_failure_inside_costs_its_budget(survey: Market) -> None:
    second_agreement(survey)
    two = "survey_of_two_rows"
    assert left(survey, two)["left_micro"] == SHARE
    failed = ask(
        survey, "SELECT province, count(*) FROM survey GROUP BY 1", agreement=two, rho_micro=100_000
    ).json()
    assert (failed["state"], failed["failure"]["code"]) == ("failed", "sandbox.too_many_rows")
    assert left(survey, two)["left_micro"] == SHARE - 100_000
    questions = [f"{COUNT} WHERE age > {age}" for age in range(32)]
    with ThreadPoolExecutor(32) as threads:
        answers = list(threads.map(lambda sql: ask(survey, sql, agreement=two, rho_micro=100_000), questions))
    ended = [a.json() for a in answers if a.status == 201]
    assert [each["state"] for each in ended] == ["ready"] * 3, ended
    # 503: on a busy machine the last may not get a connection in time, and are told to come again.
    assert {a.status for a in answers} <= {201, 403, 409, 503}
    after = left(survey, two)
    assert (after["left_micro"], after["held_micro"], after["granted_micro"]) == (0, 0, SHARE)
    assert survey.reconciled()


def test_the_owners_preview_knows_which_budget_is_left(survey: Market) -> None:
    if "survey_of_two_rows" not in survey.agreements:
        second_agreement(survey)
    standing = survey.client("owner").get("/api/v1/datasets/survey/preview").json()["standing"]
    told = {each["agreement_id"]: each["answer"]["decision"] for each in standing}
    for agreement in ("survey", "survey_of_two_rows"):
        decision = told[survey.agreements[agreement]]
        spent = left(survey, agreement)["left_micro"] == 0
        assert [reason["code"] for reason in decision["reasons"]] == ["budget.spent"] * spent
        assert decision["allow"] is not spent


def test_a_lineage_grants_no_more_than_its_cap(survey: Market) -> None:
    if "survey_of_two_rows" not in survey.agreements:
        second_agreement(survey)
    with pytest.raises(AssertionError) as refused:
        survey.agree("survey", role="rival")
    assert "agreement.lineage_spent" in str(refused.value)


def test_a_second_dataset_of_the_lineage_has_the_same_cap_and_the_same_delta(
    survey: Market, tmp_path: Path
) -> None:
    """The same persons under another name are no new budget."""
    if "survey_of_two_rows" not in survey.agreements:
        second_agreement(survey)
    sent = survey.client("owner").upload
    for name, other in (("delta", "1.0e-7"), ("rho_cap_micro", "2000000")):
        manifest, file = files(tmp_path, slug="survey_b", **{name: other})
        answer = sent("/api/v1/datasets", manifest=manifest, file=file)
        assert (answer.status, answer.json()["code"]) == (422, "publication.privacy_changed"), answer.body
    survey.publish("survey_b", *files(tmp_path, slug="survey_b"))
    with pytest.raises(AssertionError, match=r"agreement\.lineage_spent"):
        survey.agree("survey_b")


def test_a_question_may_not_bound_its_time_and_each_costs_the_least_budget(survey: Market) -> None:
    """A deadline of one's own is a bit of how long the jail works, for whatever budget one likes."""
    budget = left(survey)
    for more, code in ({"max_seconds": 1}, "query.time_tells"), ({"rho_micro": 999}, "query.rho_too_small"):
        for path in ("", "/quote", "/explain"):
            asked = survey.ask(COUNT, slug="survey", **more)
            answer = survey.client("startup").post(f"/api/v1/queries{path}", asked)
            assert (answer.status, answer.json()["code"]) == (422, code)
        tried = survey.client("startup").post("/api/v1/queries/dry-run", asked).json()
        assert (tried["would_run"], [each["code"] for each in tried["refusals"]]) == (False, [code])
    assert left(survey) == budget
    assert ask(survey, COUNT, rho_micro=1_000).json()["state"] == "ready"


def test_the_log_counts_nobody_taken_out_at_publication(survey: Market) -> None:
    """Here a cohort is a person, and the number would be exact."""
    with psycopg.connect(embedded.url(survey.home, OWNER)) as connection:
        rows = "select body ->> 'mode', body ? 'cohorts_taken_out' from event where name = 'dataset:publish'"
        told = set(connection.execute(rows).fetchall())
    assert ("rows", True) in told
    assert ("dp", False) in told
    assert ("dp", True) not in told


def test_another_startup_learns_nothing_of_a_budget(survey: Market) -> None:
    path = f"/api/v1/agreements/{survey.agreements['survey']}/budget"
    assert survey.client(None).get(path).status == 401
    assert survey.client("rival").get(path).status == 404
    assert survey.client("rival_owner").get(path).status == 404
    assert survey.client("owner").get(path).status == 200
    adult = f"/api/v1/agreements/{survey.agreements['adult']}/budget"
    assert survey.client("rival").get(adult).json()["code"] == "not_found"
    without = survey.client("startup").get(adult)
    assert (without.status, without.json()["code"]) == (404, "agreement.no_budget")


def test_sql_that_could_tell_of_one_person_is_refused_where_it_stands(survey: Market) -> None:
    answer = ask(survey, "SELECT province, max(age) FROM survey GROUP BY province")
    assert (answer.status, answer.json()["code"], answer.json()["params"]["column"]) == (
        422, "sql.private_aggregate", 18,
    )  # fmt: skip
