"""Server-sent events: a query that waits, runs and ends, as its own organisation sees it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.test_underneath import Asking, _running
from tests.market import Market

Event = tuple[str, dict[str, Any]]


class Stream:
    """An open stream of events."""

    def __init__(self, market: Market, query_id: str, role: str | None = "startup") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", market.port, timeout=60)
        token = {"Authorization": f"Bearer {market.parties.tokens[role]}"} if role else {}
        self.connection.request("GET", f"/api/v1/queries/{query_id}/events", headers=token)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def events(self) -> Iterator[Event]:
        name = ""
        for line in self.answer:
            if line.startswith(b"event: "):
                name = line[7:].decode().strip()
            elif line.startswith(b"data: "):
                yield name, json.loads(line[6:])

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


@pytest.fixture(scope="module")
def one_jail(fragile: Market) -> Market:
    fragile.stop()
    fragile.start(SANDULIEU_SANDBOX_JAILS="1", SANDULIEU_TENANT_EVENT_READERS="3")
    fragile.agree("adult")
    return fragile


def test_places_go_down_and_the_stream_ends_when_the_query_has(one_jail: Market) -> None:
    market, client = one_jail, one_jail.client("startup")
    slow = Asking(market)
    running = _running(market)
    first, second = (client.post("/api/v1/queries", market.ask(wait_s=0)).json() for _ in range(2))
    streams = [Stream(market, query["id"]).events() for query in (running, first, second)]
    assert next(streams[0]) == ("running", _told(running["id"], "running"))
    assert next(streams[1])[1]["place"] == 1
    assert next(streams[2]) == ("queued", _told(second["id"], "queued", place=2))
    assert client.delete(f"/api/v1/queries/{first['id']}").ok
    assert [(name, told["state"]) for name, told in streams[1]] == [("settled", "cancelled")]
    assert next(streams[2])[1]["place"] == 1
    assert client.delete(f"/api/v1/queries/{running['id']}").ok
    (ended,) = streams[0]
    assert (ended[0], ended[1]["failure"], ended[1]["charged_vnd"] > 0) == ("settled", "query.cancelled", True)
    *_, (name, told) = streams[2]
    assert (name, told["state"], told["rows"] > 0) == ("settled", "ready", True)
    slow.result()


def _told(query_id: str, state: str, place: int | None = None) -> dict[str, Any]:
    nothing = {"charged_vnd": None, "rows": None, "failure": None}
    return {"id": query_id, "state": state, "place": place, **nothing}


def test_who_may_watch_and_how_many_at_once_whether_they_read_or_not(one_jail: Market) -> None:
    market = one_jail
    slow = Asking(market)
    query_id = _running(market)["id"]
    for role, status in ((None, 401), ("rival", 404), ("operator", 403)):
        assert Stream(market, query_id, role).status == status
    streams = [Stream(market, query_id) for _ in range(3)]
    assert [stream.status for stream in streams] == [200] * 3
    for stream in streams:
        next(stream.events())
    one_more = Stream(market, query_id)
    assert (one_more.status, json.loads(one_more.answer.read())["code"]) == (429, "query.too_many_readers")
    # Nobody reads on, and the query ends all the same.
    assert market.client("startup").delete(f"/api/v1/queries/{query_id}").json()["state"] == "cancelled"
    slow.result()
    for stream in streams:
        assert [name for name, _ in stream.events()] == ["settled"]
    again = Stream(market, query_id)
    assert [name for name, _ in again.events()] == ["settled"]


def test_a_query_runs_no_longer_than_its_caller_allows(one_jail: Market) -> None:
    query = Asking(one_jail, max_seconds=1).result()
    assert (query["state"], query["failure"]["code"]) == ("failed", "sandbox.deadline")
    assert query["failure"]["params"] == {"deadline_ms": 1_000}
    assert query["charged_vnd"] == query["quote_vnd"]
