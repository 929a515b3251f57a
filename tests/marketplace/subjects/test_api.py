"""`/api/v1/subject/…` and the register by a subject's token: the anonymous, organisations, others, herself."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from marketplace.cli.client import Client
from tests import forked
from tests.market import Market
from tests.marketplace.identity.signing import citizen
from tests.marketplace.subjects.conftest import ELSEWHERE, SLUG, signed_in

ENDPOINTS = (
    ("GET", "/api/v1/subject/datasets"),
    ("GET", "/api/v1/subject/receipts"),
    ("GET", f"/api/v1/subject/receipts/{UUID(int=1)}"),
    ("GET", f"/api/v1/subject/receipts/{UUID(int=1)}/proof"),
    ("POST", "/api/v1/subject/tokens"),
    ("POST", "/api/v1/subject/sign-out"),
)
EVENTS = "/api/v1/consents/events"
VERIFIER = str(Path(__file__).parents[3] / "docs" / "verify.py")


def call(client: Client, method: str, path: str) -> int:
    return client.get(path).status if method == "GET" else client.post(path, {}).status


def said(market: Market, event: str = "withdrawn", **more: Any) -> dict[str, Any]:
    body = {"dataset_id": market.datasets[SLUG], "purpose": "public.service", "event": event}
    return body | {"at": "2026-01-31T08:00:00+07:00"} | more


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_the_anonymous_and_organisations_get_nothing(register: Market, method: str, path: str) -> None:
    assert call(register.client(None), method, path) == 401
    assert call(Client(register.url, "sdls_forged"), method, path) == 401
    assert call(Client(register.url, "sdl_forged"), method, path) == 401
    for role in ("owner", "startup", "regulator", "operator"):
        assert call(register.client(role), method, path) == 403


def test_a_person_sees_the_datasets_that_hold_her_and_no_others(register: Market) -> None:
    held = {}
    for number in (21, 36):
        with signed_in(register, number) as person:
            answer = person.api().get("/api/v1/subject/datasets")
        assert answer.headers["cache-control"] == "no-store"
        found = answer.json()["items"]
        held[number] = [each["slug"] for each in found if each["holds_data"]]
        assert citizen(number) not in str(found)
    assert held == {21: [SLUG], 36: [SLUG, ELSEWHERE]}


def test_what_she_is_told_of_a_purpose(register: Market) -> None:
    with signed_in(register, 21) as person:
        (dataset,) = person.api().get("/api/v1/subject/datasets").json()["items"]
    states = {each["purpose"]: (each["state"], each["said_at"]) for each in dataset["purposes"]}
    assert states == {"research.academic": ("given", None), "public.service": ("none", None)}
    for each in dataset["purposes"]:
        assert len(each["use"]) == 12
        assert {use["company"] for use in each["use"]} == {"startup"}


def test_who_consented_to_nothing_is_not_held_and_is_told_what_she_said(register: Market) -> None:
    with signed_in(register, 25) as person:
        program = person.api()
        assert program.get("/api/v1/subject/datasets").json()["items"] == []
        assert program.post(EVENTS, said(register, event="given")).status == 201
        (dataset,) = program.get("/api/v1/subject/datasets").json()["items"]
    assert (dataset["slug"], dataset["holds_data"]) == (SLUG, False)
    assert [(each["state"], each["use"]) for each in dataset["purposes"]] == [("none", []), ("given", [])]


def test_a_person_speaks_for_herself_and_only_she_reads_the_receipt(register: Market) -> None:
    with signed_in(register, 22) as person, signed_in(register, 23) as other:
        hers, others = person.api(), other.api()
        assert hers.post(EVENTS, said(register, subject=citizen(23))).json()["code"] == "consent.other_subject"
        first = hers.post(EVENTS, said(register), idempotency_key="once")
        again = hers.post(EVENTS, said(register, subject=None), idempotency_key="once")
        assert (first.status, again.json()) == (201, first.json())
        named = hers.post(EVENTS, said(register, event="given", subject=citizen(22)))
        assert named.status == 201
        mine = [each["id"] for each in hers.get("/api/v1/subject/receipts").json()["items"]]
        assert set(mine) == {first.json()["id"], named.json()["id"]}
        one = f"/api/v1/subject/receipts/{mine[0]}"
        assert hers.get(one).json()["id"] == mine[0]
        assert others.get(one).status == 404
        assert others.get("/api/v1/subject/receipts").json() == {"items": []}


def test_what_she_said_is_proven_by_the_log_offline_and_to_nobody_else(register: Market, tmp_path: Path) -> None:
    with signed_in(register, 24) as person, signed_in(register, 23) as other:
        hers = person.api()
        said_at = hers.post(EVENTS, said(register)).json()
        proof = f"/api/v1/subject/receipts/{said_at['id']}/proof"
        patience = time.monotonic() + 60
        while (answer := hers.get(proof)).status == 404 and time.monotonic() < patience:
            assert answer.json()["code"] == "receipt.pending"
            time.sleep(0.05)
        receipt, bundle = hers.get(proof), hers.get(proof, accept="text/plain")
        assert (other.api().get(proof).status, register.client("owner").get(proof).status) == (404, 403)
    key, file = tmp_path / "log.vkey", tmp_path / "proof"
    key.write_bytes(register.client(None).get("/api/v1/audit/key").body)
    for body in (receipt.body, bundle.body):
        file.write_bytes(body)
        told = subprocess.run(
            [sys.executable, VERIFIER, "receipt", str(file), "--key", str(key)],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert told.returncode == 0, told.stdout + told.stderr
        assert forked.run(("audit", "verify", str(file), "--key", str(key)), {}).returncode == 0
    event = receipt.json()["event"]
    assert (event["name"], event["purpose"]) == ("consent:withdraw", "public.service")
    assert event["body"]["consent_event_id"] == said_at["id"]
    assert event["body"].keys() == {"consent_event_id", "said_at", "row_commitment", "v"}
    assert citizen(24) not in receipt.body.decode()


def test_what_an_owner_alone_knows_is_not_taken_from_her(register: Market) -> None:
    with signed_in(register, 22) as person:
        program = person.api()
        wrong = program.post(EVENTS, said(register, evidence=f"hồ sơ {citizen(22)}", method="paper"))
        assert (wrong.status, citizen(22) in wrong.body.decode()) == (400, False)
        assert [each["path"] for each in wrong.json()["errors"]] == ["evidence", "method"]
        until = program.post(EVENTS, said(register, event="given", expires_at="2999-01-01T00:00:00Z"))
        assert until.json()["expires_at"] == 32472144000000
        assert program.post(EVENTS, said(register, event="revoked")).status == 403


def test_a_consent_that_ran_out_is_told_as_such(register: Market) -> None:
    with signed_in(register, 38) as person:
        program = person.api()
        over = said(register, event="given", expires_at="2026-02-01T00:00:00Z")
        assert program.post(EVENTS, over).status == 201
        (dataset,) = (d for d in program.get("/api/v1/subject/datasets").json()["items"] if d["slug"] == SLUG)
        states = {each["purpose"]: each["state"] for each in dataset["purposes"]}
        assert states == {"research.academic": "given", "public.service": "expired"}
        assert "Đã hết hạn" in person.page()


def test_what_the_owner_revoked_she_can_read_and_give_again(register: Market) -> None:
    revoked = said(register, event="revoked", purpose="research.academic", subject=citizen(39))
    assert register.client("owner").post(EVENTS, revoked).status == 201
    with signed_in(register, 39) as person:
        assert "Chủ dữ liệu đã thu hồi" in person.page()
        (receipt,) = person.api().get("/api/v1/subject/receipts").json()["items"]
        assert receipt["event"] == "revoked"
        assert person.say(register.datasets[SLUG], "given").status_code == 303
        assert "Chủ dữ liệu đã thu hồi" in person.page().split("<table>")[1]


def test_the_same_key_of_another_session_is_another_event(register: Market) -> None:
    with signed_in(register, 24) as person, signed_in(register, 26) as other:
        one = person.api().post(EVENTS, said(register), idempotency_key="same").json()
        two = other.api().post(EVENTS, said(register, event="given"), idempotency_key="same").json()
    assert one["id"] != two["id"]


def test_an_owner_still_has_to_name_the_person(register: Market) -> None:
    answer = register.client("owner").post(EVENTS, said(register))
    assert (answer.status, answer.json()["errors"][0]["code"]) == (400, "consent.subject_needed")


def test_a_browser_must_carry_the_sessions_token_to_change_anything(register: Market) -> None:
    with signed_in(register, 27) as person:
        refused = person.http.post(EVENTS, json=said(register))
        assert (refused.status_code, refused.json()["code"]) == (403, "auth.csrf")
        taken = person.http.post(EVENTS, json=said(register), headers={"X-Subject-CSRF-Token": person.csrf()})
        assert taken.status_code == 201


def test_a_token_makes_no_other_token(register: Market) -> None:
    with signed_in(register, 28) as person:
        assert person.api().post("/api/v1/subject/tokens", {}).status == 403


def test_a_token_opens_nothing_of_an_organisations(register: Market) -> None:
    with signed_in(register, 28) as person:
        program = person.api()
        for path in ("/api/v1/agreements", "/api/v1/wallet", "/api/v1/audit/events", "/api/v1/queries"):
            assert program.get(path).status == 401


def test_what_the_owner_reads_in_the_log_tells_nothing_of_her(register: Market) -> None:
    with signed_in(register, 29) as person:
        receipt = person.api().post(EVENTS, said(register)).json()["id"]
    for role in ("owner", "startup"):
        assert receipt not in register.client(role).get("/api/v1/audit/events").body.decode()
    assert receipt in register.client("regulator").get("/api/v1/audit/events").body.decode()
