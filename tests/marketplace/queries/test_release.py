"""Answers over HTTP: small and large, whole and in ranges, in each form; and readers that take their time."""

from __future__ import annotations

import hashlib
import http.client
import json
from typing import Any

import pyarrow as pa
import pytest

from marketplace.queries.keeping import ROW_BYTES
from tests.market import SMALL_SQL, Market
from tests.visits import visiting

LARGE_SQL = "select * from adult limit 9000"
FORMS = (
    "application/json",
    "text/csv",
    "application/vnd.apache.parquet",
    "application/vnd.apache.arrow.stream",
)


class Got:
    """One answer of the service."""

    def __init__(self, market: Market, path: str, **headers: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", market.port, timeout=60)
        sent = {"Authorization": f"Bearer {market.parties.tokens['startup']}"}
        connection.request("GET", path, headers=sent | {name.replace("_", "-"): v for name, v in headers.items()})
        answer = connection.getresponse()
        self.status, self.headers, self.body = answer.status, answer.headers, answer.read()
        connection.close()


@pytest.fixture(scope="module")
def large(market: Market) -> str:
    """Path of an answer that lies in a file."""
    return _path(market, LARGE_SQL)


def _path(market: Market, sql: str) -> str:
    query = market.client("startup").post("/api/v1/queries", market.ask(sql)).json()
    assert query["state"] == "ready", query
    return f"/api/v1/queries/{query['id']}/result"


@pytest.mark.parametrize("form", FORMS)
def test_ranges_of_every_form_put_together_are_the_whole(market: Market, large: str, form: str) -> None:
    for path in (large, _path(market, SMALL_SQL)):
        whole = Got(market, path, Accept=form)
        assert (whole.status, whole.headers["Accept-Ranges"]) == (200, "bytes")
        size, parts = len(whole.body), b""
        for start in range(0, size, size // 3 + 1):
            stop = min(size, start + size // 3 + 1)
            tag = whole.headers["ETag"]
            part = Got(market, path, Accept=form, Range=f"bytes={start}-{stop - 1}", If_Range=tag)
            assert part.status == 206
            assert part.headers["Content-Range"] == f"bytes {start}-{stop - 1}/{size}"
            assert part.headers["ETag"] == tag
            parts += part.body
        assert parts == whole.body


def test_the_large_answer_is_what_its_hash_says_and_lies_sealed_in_a_file(market: Market, large: str) -> None:
    got = Got(market, large, Accept="application/vnd.apache.arrow.stream")
    assert pa.ipc.open_stream(got.body).read_all().num_rows == 9000
    assert hashlib.sha256(got.body).hexdigest() == got.headers["X-Result-SHA256"]
    at_rest = (market.home / "answers" / large.split("/")[4]).read_bytes()
    assert len(at_rest) > len(got.body) > ROW_BYTES
    assert b"Bachelors" in got.body
    assert b"Bachelors" not in at_rest


def test_a_range_outside_is_refused_with_the_length_and_one_of_other_bytes_gets_the_whole(
    market: Market, large: str
) -> None:
    size = len(Got(market, large, Accept="text/csv").body)
    outside = Got(market, large, Accept="text/csv", Range=f"bytes={size}-")
    assert (outside.status, json.loads(outside.body)["code"]) == (416, "query.range_not_satisfiable")
    assert outside.headers["Content-Range"] == f"bytes */{size}"
    other = Got(market, large, Accept="text/csv", Range="bytes=0-9", If_Range='"of-json"')
    assert (other.status, len(other.body)) == (200, size)


def test_each_fetch_of_a_part_is_in_the_log(market: Market, large: str) -> None:
    query_id = large.split("/")[4]

    def fetches() -> int:
        events = market.client("startup").get("/api/v1/audit/events?name=query:fetch").json()["items"]
        return sum(event["query_id"] == query_id for event in events)

    before = fetches()
    Got(market, large, Range="bytes=0-9")
    assert fetches() == before + 1


def test_readers_who_do_not_read_hold_neither_jail_nor_connection_of_the_database(
    market: Market, large: str
) -> None:
    """More of them than there are jails and connections; the next query and its answer come all the same."""
    sleepers = []
    for _ in range(16):
        sleeper = http.client.HTTPConnection("127.0.0.1", market.port, timeout=60)
        sleeper.request(
            "GET",
            large,
            headers={"Authorization": f"Bearer {market.parties.tokens['startup']}", "Accept": "application/json"},
        )
        sleepers.append((sleeper, sleeper.getresponse()))
    assert Got(market, _path(market, SMALL_SQL)).status == 200
    told: list[Any] = [json.loads(answer.read()) for _, answer in sleepers]
    assert {len(rows) for rows in told} == {9000}
    for sleeper, _ in sleepers:
        sleeper.close()


def test_the_page_downloads_the_large_answer_in_ranges_too(market: Market, large: str) -> None:
    page = large.replace("/api/v1", "") + "/csv"
    with visiting(market, "startup") as visitor:
        whole = visitor.get(page)
        part = visitor.http.get(page, headers={"Range": "bytes=10-19"})
    assert whole.status_code == 200
    assert "attachment" in whole.headers["Content-Disposition"]
    assert (part.status_code, part.content) == (206, whole.content[10:20])
