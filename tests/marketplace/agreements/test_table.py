"""The table in docs/agreements.md is what the service does: every state, every verb, every caller."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest

from marketplace.agreements.machine import TRANSITIONS, AgreementState, ApplicationState, ApplicationVerb
from marketplace.db.engine import Database
from tests.marketplace.agreements.conftest import TERMS, Sides
from tests.marketplace.api import Client

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "agreements.md"
ACTORS = ("nobody", "startup admin", "startup analyst", "owner steward", "owner approver", "rival startup",
          "rival owner", "regulator", "operator")  # fmt: skip


def _table() -> dict[tuple[str, str], tuple[frozenset[str], str]]:
    """(state, verb) → (who may, next state)."""
    lines = DOCUMENT.read_text(encoding="utf-8").split("| state | verb | who | next state |")[1].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:] if line.startswith("|")]
    return {(s, v): (frozenset(w.split(", ")), n) for s, v, w, n in (row for row in cells if len(row) == 4)}


TABLE = _table()
MAY = {verb: who for (_, verb), (who, _) in TABLE.items()}


def _expected(state: str, verb: str, actor: str) -> int:
    if actor == "nobody":
        return 401
    if actor.removeprefix("rival ") not in {"startup", "owner"} and actor not in MAY[verb]:
        return 403
    if actor.startswith("rival"):
        return 404 if any(who.startswith(actor.removeprefix("rival ")) for who in MAY[verb]) else 403
    return 200 if (state, verb) in TABLE else 409


def _request(verb: str) -> tuple[str, dict[str, Any]]:
    if verb in ("accept", "reject", "return"):
        return "decision", {"json": {"decision": verb, "reason": "Đã xem xét."}}
    return verb, {"json": TERMS} if verb == "resubmit" else {}


def test_document_and_code_know_the_same_transitions() -> None:
    written = {key: after for key, (_, after) in TABLE.items() if key[1] not in ("apply", "end")}
    assert written == TRANSITIONS
    assert {state for state, _ in TRANSITIONS} < set(get_args(ApplicationState))


@pytest.mark.parametrize("verb", get_args(ApplicationVerb))
@pytest.mark.parametrize("state", get_args(ApplicationState))
async def test_application_obeys_the_table(
    client: Client, database: Database, sides: Sides, state: str, verb: str
) -> None:
    path, body = _request(verb)
    for actor in ACTORS:
        application_id = await sides.application(database, state=state)
        answer = await client.post(
            f"/api/v1/applications/{application_id}/{path}", token=sides.tokens[actor], **body
        )
        expected = _expected(state, verb, actor)
        assert answer.status_code == expected, (actor, answer.text)
        after = TABLE[state, verb][1] if expected == 200 else state
        assert await _state(client, sides, application_id) == after, actor


async def _state(client: Client, sides: Sides, application_id: UUID) -> str:
    answer = await client.get(f"/api/v1/applications/{application_id}", token=sides.startup.token)
    return str(answer.json()["state"])


@pytest.mark.parametrize("state", get_args(AgreementState))
async def test_agreement_obeys_the_table(client: Client, database: Database, sides: Sides, state: str) -> None:
    for actor in ACTORS:
        agreement_id = await sides.agreement(database, state=state)
        path = f"/api/v1/agreements/{agreement_id}"
        answer = await client.post(f"{path}/end", token=sides.tokens[actor], json={"reason": "Xong việc."})
        expected = _expected(state, "end", actor)
        assert answer.status_code == expected, (actor, answer.text)
        shown = (await client.get(path, token=sides.owner.token)).json()
        assert shown["state"] == ("ended" if expected == 200 else state), actor


async def test_applying_obeys_the_table(client: Client, apart: Sides) -> None:
    path = f"/api/v1/datasets/{apart.dataset_id}/applications"
    for actor in ACTORS:
        answer = await client.post(path, token=apart.tokens[actor], json=TERMS)
        may = {"rival startup", *MAY["apply"]}
        expected = 401 if actor == "nobody" else 201 if actor in may else 403
        assert answer.status_code == expected, (actor, answer.text)
