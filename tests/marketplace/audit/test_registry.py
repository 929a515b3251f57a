"""Only declared events are recorded, with bodies of their form; every endpoint that changes something has one."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any, cast
from uuid import uuid4

import pytest
from sqlalchemy import text

from marketplace.audit import registry
from marketplace.audit.actions import record
from marketplace.audit.registry import Body, EventRefused, event, fitting
from marketplace.queries.services import Services
from marketplace.web.app import create_app
from marketplace.web.words import words
from tests.marketplace.audit import document
from tests.marketplace.audit.bodies import settled
from tests.marketplace.audit.conftest import Log
from tests.marketplace.audit.endpoints import NONE_NEEDED, WRITES

NAMES = {kind.name for kind in document.declared()}
CHANGING = {"post", "put", "patch", "delete"}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("query:settel", {}),
        ("query:settle", {}),
        ("query:settle", settled(rows=1)),
        ("query:settle", settled(outcome=None)),
        ("query:settle", settled(decision_id="not an id")),
        ("test:event", {"n": "1"}),
        ("test:event", {"v": 2}),
    ],
)
async def test_what_is_not_declared_or_does_not_fit_undoes_what_it_was_to_record(
    log: Log, name: str, body: dict[str, Any]
) -> None:
    insert = text("INSERT INTO login_attempt (id, email_hash, address, at) VALUES (:id, '', 'refused', now())")

    async def act() -> None:
        async with log.database.session() as session:
            await session.execute(insert, {"id": uuid4()})
            await record(session, name, body=body)

    with pytest.raises(EventRefused):
        await act()
    assert await log.one("SELECT count(*) FROM event") == 0
    assert await log.one("SELECT count(*) FROM login_attempt WHERE address = 'refused'") == 0


async def test_a_secret_is_declared_as_its_commitment(log: Log) -> None:
    async with log.database.session() as session:
        await record(session, "test:event", secrets={"said": "0123"})
        with pytest.raises(EventRefused, match="other_commitment"):
            await record(session, "test:event", secrets={"other": "0123"})
    assert set(await log.one("SELECT body FROM event")) == {"said_commitment"}


def test_a_body_of_a_new_form_says_its_version_and_one_of_the_old_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_declared", {})

    @event("test:event", "as it is now", version=2)
    class Newer(Body, frozen=True):
        counted: int

    assert fitting("test:event", {"counted": 1}) == {"counted": 1, "v": 2}
    with pytest.raises(EventRefused):
        fitting("test:event", {"n": 1})


@pytest.mark.parametrize("name", ["test:event", "subject", "Subject:action", "a:b:c"])
def test_a_name_is_subject_and_action_and_declared_once(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        event(name, "again")


def test_every_event_has_its_words_and_no_words_are_without_an_event() -> None:
    assert {key.removeprefix("event.") for key in words() if key.startswith("event.")} == NAMES


def test_every_endpoint_that_changes_something_is_mapped_to_the_events_it_writes() -> None:
    paths = create_app(nullcontext(cast(Services, None))).openapi_schema.to_schema()["paths"]
    changing = {f"{verb.upper()} {path}" for path, verbs in paths.items() for verb in CHANGING & set(verbs)}
    assert changing == set(WRITES) | set(NONE_NEEDED)
    assert not set(WRITES) & set(NONE_NEEDED)
    assert {name for names in WRITES.values() for name in names} <= NAMES


def test_the_page_of_events_is_up_to_date() -> None:
    assert document.PAGE.read_text("utf-8") == document.page(), "python -m tests.marketplace.audit.document"
