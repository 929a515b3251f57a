"""A startup's own table, through the real service: joined freely, free of charge, gone when it says so."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import forked
from tests.market import PURPOSE, Market

CODES = "education,mã,nhóm\nBachelors,01,đại học\nGraduate,02,đại học\nHigh school,03,phổ thông\n"
NAME = "nhom_hoc_van"
JOINED = f"""
select o."nhóm", count(*) as n from adult a join {NAME} o on a.education = o.education group by 1 order by 1
"""


def _send(
    market: Market, role: str | None, name: str = NAME, content: str | bytes = CODES, key: str | None = None
) -> httpx.Response:
    headers = {"Authorization": f"Bearer {market.parties.tokens[role]}"} if role else {}
    if key:
        headers["Idempotency-Key"] = key
    files = {"file": ("t.csv", content.encode() if isinstance(content, str) else content)}
    return httpx.post(f"{market.url}/api/v1/tables", data={"name": name}, files=files, headers=headers, timeout=60)


def _remove(market: Market, role: str | None, table_id: str) -> int:
    headers = {"Authorization": f"Bearer {market.parties.tokens[role]}"} if role else {}
    return httpx.delete(f"{market.url}/api/v1/tables/{table_id}", headers=headers, timeout=60).status_code


def _names(market: Market, role: str) -> list[str]:
    return [each["name"] for each in market.client(role).get("/api/v1/tables").json()["items"]]


def _ask(market: Market, sql: str, slug: str = "adult", role: str = "startup", **more: Any) -> dict[str, Any]:
    asked: dict[str, Any] = market.client(role).post("/api/v1/queries", market.ask(sql, slug=slug, **more)).json()
    return asked


def _rows(market: Market, query: dict[str, Any]) -> list[dict[str, Any]]:
    assert query.get("state") == "ready", query
    found: list[dict[str, Any]] = market.client("startup").get(f"/api/v1/queries/{query['id']}/result").json()
    return found


@pytest.fixture
def table(several: Market) -> Iterator[dict[str, Any]]:
    """The startup's table, for one test."""
    sent = _send(several, "startup")
    assert sent.status_code == 201, sent.text
    yield sent.json()
    _remove(several, "startup", sent.json()["id"])


def test_who_may_send_see_and_remove(several: Market, table: dict[str, Any]) -> None:
    assert _send(several, None).status_code == 401
    assert several.client(None).get("/api/v1/tables").status == 401
    assert _remove(several, None, table["id"]) == 401
    assert _names(several, "rival") == []
    assert _remove(several, "rival", table["id"]) == 404
    for role in ("owner", "regulator", "operator"):
        assert _send(several, role).status_code == 403
        assert several.client(role).get("/api/v1/tables").status == 403
        assert _remove(several, role, table["id"]) == 403
    assert _names(several, "startup") == [NAME]
    assert [(c["name"], c["type"]) for c in table["columns"]] == [
        ("education", "VARCHAR"), ("mã", "VARCHAR"), ("nhóm", "VARCHAR"),
    ]  # fmt: skip
    assert table["rows"] == 3
    assert _remove(several, "startup", table["id"]) == 204
    assert _remove(several, "startup", table["id"]) == 404


def test_it_joins_records_and_costs_nothing(several: Market, table: dict[str, Any]) -> None:
    plain = "select education, count(*) as n from adult group by education"
    counted = {row["education"]: row["n"] for row in _rows(several, _ask(several, plain))}
    query = _ask(several, JOINED)
    assert _rows(several, query) == [
        {"nhóm": "phổ thông", "n": counted["High school"]},
        {"nhóm": "đại học", "n": counted["Bachelors"] + counted["Graduate"]},
    ]
    assert [line["dataset"] for line in query["lines"]] == ["adult"]
    assert query["charged_vnd"] == _ask(several, plain)["charged_vnd"]
    assert several.reconciled()


def test_it_joins_cohorts_and_what_was_aggregated(several: Market, table: dict[str, Any]) -> None:
    sql = f"""
        select o."mã", p.persons from {NAME} o
        join (select education, count(*) as persons from pay group by education) p using (education) order by 1
    """
    rows = _rows(several, _ask(several, sql, slug="pay"))
    assert rows == [{"mã": code, "persons": 48} for code in ("01", "02", "03")]
    sql = f"""
        select o."nhóm", count(*) as persons from pay p join {NAME} o on o.education = p.education
        group by 1 order by 2
    """
    rows = _rows(several, _ask(several, sql, slug="pay"))
    assert rows == [{"nhóm": "phổ thông", "persons": 48}, {"nhóm": "đại học", "persons": 96}]


def test_nobody_else_can_say_its_name_nor_learns_it(several: Market, table: dict[str, Any]) -> None:
    refused = _ask(several, JOINED, role="rival", agreement_ids=[several.agree("adult", role="rival")])
    assert refused["code"] == "sql.unknown_table"
    assert (refused["params"]["tables"], refused["params"]["use"]) == ("adult", "")
    names = [NAME, *("table:add", "table:remove")]
    for role in ("owner", "rival_owner", "rival"):
        events = several.client(role).get("/api/v1/audit/events?limit=200").json()["items"]
        assert not any(name in str(event) for event in events for name in names), role


def test_sending_and_removing_are_in_the_log_of_the_startup(several: Market, table: dict[str, Any]) -> None:
    _remove(several, "startup", table["id"])
    events = several.client("startup").get("/api/v1/audit/events?limit=5").json()["items"]
    told = [(event["name"], event["body"]["table"]) for event in events if event["name"].startswith("table:")]
    assert told[:2] == [("table:remove", table["id"]), ("table:add", table["id"])]


def test_names_are_one_tables_and_a_key_is_one_deed(several: Market, table: dict[str, Any]) -> None:
    assert _send(several, "startup").json()["code"] == "table.name_taken"
    assert _send(several, "startup", name="adult").json()["code"] == "table.name_taken"
    wrong = _send(several, "startup", name="Nhóm")
    assert (wrong.status_code, wrong.json()["code"]) == (400, "table.name_wrong")
    key = str(uuid.uuid4())
    first, again = (_send(several, "startup", "mot_lan", key=key) for _ in range(2))
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    other = _send(several, "startup", "mot_lan", CODES + "x,y,z\n", key=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency.key_reused")
    _remove(several, "startup", first.json()["id"])


def test_no_cell_of_it_lies_in_the_clear_and_what_was_removed_is_gone(
    several: Market, table: dict[str, Any]
) -> None:
    kept = [path.read_bytes() for path in (several.home / "store" / "own").iterdir()]
    assert kept
    assert not any("đại học".encode() in body or b"PAR1" in body for body in kept)
    _remove(several, "startup", table["id"])
    assert not (several.home / "store" / "own" / f"{table['id']}.sealed").exists()
    assert _names(several, "startup") == []
    assert _ask(several, JOINED)["code"] == "sql.unknown_table"
    assert list((several.home / "uploads").iterdir()) == []


def test_a_table_that_is_gone_when_its_query_runs_voids_it(several: Market, table: dict[str, Any]) -> None:
    (several.home / "store" / "own" / f"{table['id']}.sealed").unlink()
    before = several.balance()
    query = _ask(several, JOINED)
    assert (query["state"], query["failure"]["code"]) == ("failed", "query.table_gone")
    assert query["charged_vnd"] == 0
    after = several.balance()
    assert (after["available_vnd"], after["held_vnd"]) == (before["available_vnd"], 0)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "ingest.empty"),
        (b"PK\x03\x04" + bytes(99), "ingest.archive_broken"),
        (b"PAR1" + bytes(99), "ingest.parquet_broken"),
    ],
)
def test_a_hostile_file_is_refused_and_leaves_nothing(several: Market, content: bytes, code: str) -> None:
    refused = _send(several, "startup", "xau", content)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["messages"]["vi"]["next"]
    assert "xau" not in _names(several, "startup")


def test_a_table_of_its_own_alone_is_asked_under_an_agreement_too(several: Market, table: dict[str, Any]) -> None:
    body = {
        "agreement_ids": [several.agreements["adult"]],
        "purpose": PURPOSE,
        "sql": f"select count(*) as n from {NAME}",
    }
    query = several.client("startup").post("/api/v1/queries", body | {"wait_s": 30}).json()
    assert _rows(several, query) == [{"n": 3}]


def test_the_command_adds_lists_and_removes(several: Market, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(CODES, encoding="utf-8")

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"SANDULIEU_URL": several.url, "SANDULIEU_TOKEN": several.parties.tokens["startup"]}
        return forked.run(("table", *arguments), environment)

    added = run("add", "tu_lenh", str(file), "--json")
    assert added.returncode == 0, added.stderr
    assert "tu_lenh  3 dòng/rows  (education VARCHAR, mã VARCHAR, nhóm VARCHAR)" in run("list").stdout
    table_id = json.loads(added.stdout)["id"]
    assert run("remove", table_id).returncode == 0
    gone = run("remove", table_id)
    assert (gone.returncode, bool(gone.stderr)) == (1, True)
    assert run("add", "tu_lenh", str(tmp_path / "none.csv")).returncode == 2
