"""SQL that fills memory, processor or answer, through the whole service; another tenant works beside it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.market import EXAMPLES, SMALL_SQL, Market
from tests.prepared import Prepared

BOMBS = {
    "a product": """select count(*) as n from adult a, adult b, adult c
        where a.education <> b.education and b.occupation <> c.occupation""",
    "many rows": "select a.education from adult a, adult b",
    "a text that doubles": """with recursive t(s, i) as (select 'x', 1 union all select s || s, i + 1 from t
        where i < 40) select length(s) as n from t""",
    "rows that multiply": """with recursive t(a) as (select 1 union all select a + 1 from t, range(1000)
        where a < 900) select count(*) as n from t""",
    "recursion without end": """with recursive t(a) as (select 1 union all select a + 1 from t)
        select max(a) as n from t""",
    "the text of a product": "select length(string_agg(a.education || b.age, ',')) as n from adult a, adult b",
    "the list of a product": "select len(list(a.education)) as n from adult a, adult b",
    "a sort of a product": """select max(r) as n from (select row_number() over (order by a.education || b.age)
        as r from adult a, adult b) as q""",
    "many groups": """select count(*) as n from (select g.i * 1000000 + h.i * 1000 + k.i as j
        from range(1000) g(i), range(1000) h(i), range(1000) k(i) group by j) as q""",
    "padding": "select length(lpad('x', 2000000000, 'y')) as n",
    "the distance of long texts": """select levenshtein(lpad('x', 200000, 'y'), lpad('a', 200000, education)) as n
        from adult""",
    "lists that grow": """select sum(len(l)) as n from (select list(education) over (order by age, education
        rows between unbounded preceding and current row) as l from adult) as q""",
    "an answer of long texts": "select lpad('x', 10000, education) as n from adult limit 10000",
    "groups of every kind": """select count(*) as n from (select 1 from adult group by cube (age, education,
        occupation, sex, race, workclass, marital_status, native_country)) as q""",
    "a chain of joins": "select count(*) as n from adult a0 "
    + " ".join(f"join adult a{i} on a{i}.sex = a{i - 1}.sex" for i in range(1, 30)),
    "a window over everything": """select quantile_cont(a.i * b.i, 0.5) over (order by a.i, b.i rows between 100000
        preceding and 100000 following) as n from range(1000) a(i), range(1000) b(i)""",
    "a text that is cut in pieces": "select len(string_split(lpad('x', 300000000, ','), ',')) as n",
    "brackets": "select json_extract(lpad('', 100000000, '['), '$.a') as n",
}
ENDS = {"sandbox.deadline", "sandbox.memory", "sandbox.too_many_rows", "sandbox.too_many_bytes",
        "sandbox.too_many_steps"}  # fmt: skip
EACH, BESIDE = 3, 2
"""Of one bomb, more than there are jails; and of what the other tenant asks meanwhile, one after the other."""


@pytest.fixture(scope="module")
def bombed(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    market = prepared.open_market(
        Path(tmp_path_factory.mktemp("bombed")) / "home", SANDULIEU_SANDBOX_DEADLINE_MS="700",
        SANDULIEU_SANDBOX_MEMORY_BYTES=str(300 * 1024 * 1024), SANDULIEU_SANDBOX_THREADS="1",
    )  # fmt: skip
    market.start()
    for role in ("startup", "rival"):
        market.credit(10_000_000, role)
    market.publish("adult", EXAMPLES / "adult" / "manifest.yaml", EXAMPLES / "adult" / "adult.csv.gz")
    market.agreements["beside"] = market.agree("adult", role="rival")
    market.agree("adult")
    yield market
    market.stop()


def _asked(market: Market, sql: str, role: str) -> dict[str, Any]:
    slug = "adult" if role == "startup" else "beside"
    answer = market.client(role).post("/api/v1/queries", market.ask(sql, slug=slug))
    assert answer.ok, answer.body
    found: dict[str, Any] = answer.json()
    while found["state"] in {"queued", "running"}:
        found = market.client(role).get(f"/api/v1/queries/{found['id']}").json()
    return found


def _right(market: Market) -> list[Any]:
    """What the other tenant gets, row by row."""
    query = _asked(market, SMALL_SQL, "rival")
    assert query["state"] == "ready", query
    rows = market.client("rival").get(f"/api/v1/queries/{query['id']}/result", accept="application/json").json()
    return [rows]


class Held:
    """Of the service's process: threads, descriptors, memory."""

    def __init__(self, market: Market) -> None:
        told = Path(f"/proc/{market.pid}/status").read_text().splitlines()
        figures = dict(line.split(":\t") for line in told if ":\t" in line)
        self.threads = int(figures["Threads"])
        self.memory_kb = int(figures["VmRSS"].split()[0])
        self.descriptors = len(os.listdir(f"/proc/{market.pid}/fd"))  # noqa: PTH208


@pytest.fixture(scope="module")
def usual(bombed: Market) -> tuple[list[Any], Held]:
    """What is right, and what the service holds once it is warm."""
    with ThreadPoolExecutor(EACH + 1) as pool:
        right, *_ = pool.map(lambda _: _right(bombed), range(4 * EACH))
    return right, Held(bombed)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_costs_who_sent_it_and_nobody_else_anything(
    name: str, bombed: Market, usual: tuple[list[Any], Held]
) -> None:
    right, held = usual
    before = bombed.balance()["balance_vnd"]
    with ThreadPoolExecutor(EACH) as pool:
        bombs = [pool.submit(_asked, bombed, BOMBS[name], "startup") for _ in range(EACH)]
        assert [_right(bombed) for _ in range(BESIDE)] == [right] * BESIDE
        ended = [bomb.result() for bomb in bombs]
    for query in ended:
        assert (query["state"], query["failure"]["code"] in ENDS) == ("failed", True), query
        assert query["charged_vnd"] == query["quote_vnd"] > 0, "it was inside, so it costs its quote"
    wallet = bombed.balance()
    assert (before - wallet["balance_vnd"], wallet["held_vnd"]) == (sum(each["charged_vnd"] for each in ended), 0)
    assert bombed.balance("rival")["held_vnd"] == 0
    assert bombed.reconciled(), "money is what was used"
    for query in ended:
        events = bombed.client("startup").get(f"/api/v1/audit/events?query_id={query['id']}").json()["items"]
        assert [(each["name"], each["price_vnd"]) for each in events] == [("query:settle", query["charged_vnd"])]
    after = Held(bombed)
    # Threads of the loop's own pool (asyncio's default) come as they are first wanted, and stay.
    most = held.threads + min(32, (os.cpu_count() or 1) + 4)
    assert after.threads <= most, "a leak is one more a bomb"
    assert after.descriptors <= held.descriptors + 8
    assert after.memory_kb < held.memory_kb + 32 * 1024


def test_after_all_of_them_the_log_and_the_books_agree(bombed: Market) -> None:
    checked = bombed.command("audit", "check", "--json")
    assert checked.returncode == 0, checked.stdout + checked.stderr
