"""Errors over HTTP: RFC 9457, in the reader's language, and nothing of ours in them."""

from __future__ import annotations

from typing import Annotated

import pytest
from litestar import get, post
from litestar.params import Parameter
from msgspec import Struct

from marketplace.errors import NotFound, Problem, Unavailable
from policies.decision import Reason
from tests.conftest import ClientFor


class Body(Struct):
    amount: int
    name: str


class Refused(Problem):
    status = 403
    code = "wallet.insufficient"


@get("/api/broken/{rest:path}")
async def broken_below(rest: str) -> None:
    raise RuntimeError(rest)


@get("/api/broken")
async def broken() -> None:
    raise RuntimeError("password=hunter2 at /srv/secret.py")


@get("/api/refused")
async def refused() -> None:
    reason = Reason(code="wallet.insufficient", severity="deny", params={"needed_vnd": 7})
    raise Refused(needed_vnd=2_000, available_vnd=0, missing_vnd=2_000, reasons=(reason,))


@get("/api/none")
async def none() -> None:
    raise NotFound(what="x")


@get("/api/later")
async def later() -> None:
    raise Unavailable(headers={"Retry-After": "3"})


@post("/api/typed")
async def typed(data: Body, limit: Annotated[int, Parameter(ge=1)] = 1) -> int:
    return data.amount + limit


HANDLERS = (broken, refused, none, later, typed)


async def test_a_problem_has_every_member_and_both_languages(client_for: ClientFor) -> None:
    async with client_for(*HANDLERS) as client:
        answer = await client.get("/api/refused")
    problem = answer.json()
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.headers["content-language"] == "vi"
    assert (
        (problem["status"], problem["code"])
        == (403, "wallet.insufficient")
        == (answer.status_code, problem["code"])
    )
    assert problem["type"] == "urn:sandulieu:problem:wallet.insufficient"
    assert problem["title"] == problem["messages"]["vi"]["what"]
    assert "2.000" in problem["detail"]
    assert "2,000" in problem["messages"]["en"]["why"]
    assert problem["next"] == problem["messages"]["vi"]["next"]
    assert problem["reasons"][0]["params"] == {"needed_vnd": 7}
    assert len(problem["trace_id"]) == 32


@pytest.mark.parametrize(
    ("accept", "language"),
    [("en", "en"), ("en-GB,vi;q=0.5", "en"), ("vi-VN,en", "vi"), ("fr, en;q=0.3", "en"), ("", "vi"), ("fr", "vi")],
)
async def test_the_reader_chooses_the_language(client_for: ClientFor, accept: str, language: str) -> None:
    async with client_for(*HANDLERS) as client:
        problem = (await client.get("/api/none", headers={"Accept-Language": accept})).json()
    assert problem["title"] == problem["messages"][language]["what"]


async def test_a_fault_of_ours_tells_nothing_but_its_trace(
    client_for: ClientFor, caplog: pytest.LogCaptureFixture
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    async with client_for(*HANDLERS) as client:
        answer = await client.get("/api/broken", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    for word in ("hunter2", "RuntimeError", "secret.py", "Traceback"):
        assert word not in answer.text
    assert answer.json()["trace_id"] == trace
    assert trace in caplog.text
    assert "hunter2" in caplog.text


async def test_a_path_writes_no_line_of_its_own_into_the_log(
    client_for: ClientFor, caplog: pytest.LogCaptureFixture
) -> None:
    async with client_for(broken_below) as client:
        assert (await client.get("/api/broken/x%0aERROR%20forged%1b[2J")).status_code == 500
    (told,) = [record.getMessage() for record in caplog.records if "forged" in record.getMessage()]
    assert told.isprintable()


async def test_headers_of_a_problem_are_sent(client_for: ClientFor) -> None:
    async with client_for(*HANDLERS) as client:
        answer = await client.get("/api/later")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "3")


async def test_wrong_fields_are_named(client_for: ClientFor) -> None:
    async with client_for(*HANDLERS) as client:
        field = await client.post("/api/typed", json={"amount": "1.5", "name": "x"})
        query = await client.post("/api/typed?limit=0", json={"amount": 1, "name": "x"})
        broken_json = await client.post("/api/typed", content=b"{", headers={"Content-Type": "application/json"})
    for answer in (field, query, broken_json):
        assert (answer.status_code, answer.json()["code"]) == (400, "request.invalid")
    assert [each["path"] for each in field.json()["errors"]] == ["amount"]
    assert [each["path"] for each in query.json()["errors"]] == ["limit"]


async def test_the_frameworks_own_refusals_are_problems_too(client_for: ClientFor) -> None:
    async with client_for(*HANDLERS) as client:
        absent = await client.get("/api/absent")
        method = await client.post("/api/none")
    assert (absent.status_code, absent.json()["code"]) == (404, "not_found")
    assert (method.status_code, method.json()["code"]) == (405, "request.method")
    assert "GET" in method.json()["detail"]
    assert "GET" in method.headers["allow"]


async def test_a_part_that_is_away_is_told_in_one_line_of_the_log_and_a_fault_of_ours_with_where_it_was(
    client_for: ClientFor, caplog: pytest.LogCaptureFixture
) -> None:
    """Hundreds are told of the former at once, and to write where each was would cost more than they do."""
    async with client_for(*HANDLERS) as client:
        later = await client.get("/api/later")
        await client.get("/api/broken")
    assert (later.status_code, later.headers["Retry-After"]) == (503, "3")
    told = [record for record in caplog.records if record.name == "marketplace.problems"]
    assert [record.exc_info is not None for record in told] == [False, True]
    assert "service.unavailable" in told[0].getMessage()
