"""Files of events over HTTP and by command; what an owner may read back of the register."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import subprocess
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.testing import AsyncTestClient

from marketplace.config import Config
from marketplace.consents.actors import DataSubject
from marketplace.consents.api import handlers
from marketplace.consents.models import ConsentEvent
from marketplace.consents.months import Band, band
from marketplace.db.base import utcnow
from marketplace.db.engine import Database
from marketplace.listings.models import Dataset
from tests import forked
from tests.conftest import ClientFor
from tests.marketplace.api import Client, small_app
from tests.marketplace.consents.conftest import PEOPLE, PURPOSES, Listed
from tests.marketplace.consents.test_imports import as_csv, as_ndjson, said
from tests.marketplace.consents.test_register import say
from tests.marketplace.parties import Make


@pytest.fixture
async def client(client_for: ClientFor, listed: Listed) -> AsyncIterator[Client]:
    async with client_for(*handlers, store=listed.store, keys=listed.keys) as client:
        yield client


def path(listed: Listed, more: str = "") -> str:
    return f"/api/v1/datasets/{listed.dataset_id}/consents{more}"


@pytest.mark.parametrize("more", ["", "/months"])
async def test_nobody_but_the_owner_reads_or_writes_the_register(
    client: Client, listed: Listed, database: Database, make: Make, more: str
) -> None:
    rival = await make.party(database, kind="owner")
    startup = await make.party(database, kind="startup")
    async with database.session() as session:
        unscoped = await make.token(session, listed.owner.person, scopes=["read"])
    for token, status in ((None, 401), (rival.token, 404), (startup.token, 403), (unscoped, 403)):
        assert (await client.get(path(listed, more), token=token)).status_code == status
        if not more:
            assert (await client.post(path(listed), token=token, content=b"x")).status_code == status


async def test_a_file_is_taken_and_written_out_again_by_pseudonym(client: Client, listed: Listed) -> None:
    events = [said(n, subject, evidence="=1+1") for n, subject in enumerate(PEOPLE)]
    sent = await client.post(path(listed), token=listed.owner.token, content=as_csv(events))
    assert (sent.status_code, sent.json()["given"]) == (201, len(PEOPLE))
    answer = await client.get(path(listed), token=listed.owner.token)
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert {r["subject"] for r in rows} == {listed.pseudonym(p).hex() for p in PEOPLE}
    assert {r["event_id"] for r in rows} == {f"E{n}" for n in range(len(PEOPLE))}
    assert PEOPLE[0] not in answer.text
    table = await client.get(path(listed), token=listed.owner.token, headers={"Accept": "text/csv"})
    read = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["evidence"] for row in read] == ["'=1+1"] * len(PEOPLE)


async def test_what_a_person_said_herself_is_not_written_out(
    client: Client, listed: Listed, database: Database
) -> None:
    await say(database, listed, "given", PEOPLE[0])
    await say(database, listed, "withdrawn", PEOPLE[0], by=DataSubject(subject=PEOPLE[0]))
    answer = await client.get(path(listed), token=listed.owner.token)
    assert [json.loads(line)["event"] for line in answer.text.splitlines()] == ["given"]


async def test_wrong_lines_are_told_in_both_languages_or_the_whole_is_refused(
    client: Client, listed: Listed, caplog: pytest.LogCaptureFixture
) -> None:
    content = as_ndjson([said(1, PEOPLE[0]), said(2, PEOPLE[1], "expired")])
    refused = await client.post(path(listed, "?on_error=refuse"), token=listed.owner.token, content=content)
    assert (refused.status_code, refused.json()["code"]) == (422, "consent.file_refused")
    assert refused.json()["errors"][0]["line"] == 2
    kept = await client.post(path(listed), token=listed.owner.token, content=content)
    assert (kept.status_code, kept.json()["given"], kept.json()["fault_count"]) == (201, 1, 1)
    fault = kept.json()["faults"][0]
    assert (fault["line"], fault["code"], set(fault["messages"])) == (2, "consent.line_field", {"vi", "en"})
    for told in (refused.text, kept.text, caplog.text):
        assert PEOPLE[1] not in told


async def test_a_body_that_is_too_large_is_refused(database: Database, listed: Listed) -> None:
    small = Config(consents_file_max_bytes=100)
    app = small_app(handlers, database=database, config=small, store=listed.store, keys=listed.keys)
    async with AsyncTestClient(app, raise_server_exceptions=False) as http:
        answer = await Client(http).post(path(listed), token=listed.owner.token, content=b"x" * 200)
    assert (answer.status_code, answer.json()["code"]) == (413, "consent.file_too_large")


async def test_months_that_have_ended_are_told_in_bands_and_the_one_that_runs_is_not(
    client: Client, listed: Listed, database: Database
) -> None:
    now = utcnow()
    async with database.session() as session:
        dataset = await session.get_one(Dataset, listed.dataset_id)
        dataset.created_at = now - timedelta(days=62)
        for number, days in ((12, 31), (3, 0)):
            for n in range(number):
                session.add(
                    ConsentEvent(
                        dataset_id=listed.dataset_id, subject=n.to_bytes(16, "big"), purpose=PURPOSES[0],
                        event="withdrawn", at=now - timedelta(days=40), recorded_at=now - timedelta(days=days),
                    )
                )  # fmt: skip
    answer = await client.get(path(listed, "/months"), token=listed.owner.token)
    items = answer.json()["items"]
    assert {item["purpose"] for item in items} == set(PURPOSES)
    assert len(items) == 2 * len({item["month"] for item in items}), "nobody is told like a few"
    told = [item["withdrawn"] for item in items if item["purpose"] == PURPOSES[0]]
    assert sorted(each["at_least"] for each in told) == [0] * (len(told) - 1) + [10]
    assert {(b["at_least"], b["at_most"]) for i in items for b in (i["given"], i["expired"])} == {(0, 9)}


@given(count=st.integers(0, 10**9))
def test_every_number_is_in_a_band_with_nine_others_at_least(count: int) -> None:
    found = band(count)
    assert found.at_least <= count <= found.at_most
    assert found.at_most - found.at_least >= 9
    assert band(found.at_least) == band(found.at_most) == found
    assert band(found.at_most + 1) == Band(found.at_most + 1, band(found.at_most + 1).at_most)


async def test_the_command_takes_and_writes_out_files(
    config: Config, database: Database, listed: Listed, tmp_path: Path
) -> None:
    async with database.reading() as session:
        slug = (await session.get_one(Dataset, listed.dataset_id)).slug
    file = tmp_path / "events.ndjson"
    file.write_bytes(as_ndjson([said(1, PEOPLE[0]), {"event_id": "2"}]))

    async def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        home = {"SANDULIEU_HOME": str(config.home)}
        return await asyncio.to_thread(forked.run, ("catalog", "consents", *arguments), home)

    done = await run("import", str(file), "--dataset", slug)
    assert (done.returncode, done.stdout.split()[:2]) == (0, ["✓", "1"])
    assert f"{file}:2:" in done.stderr
    out = await run("export", "--dataset", slug, "--format", "csv")
    assert out.stdout.splitlines()[0].startswith("id,event_id,subject")
    assert len(out.stdout.splitlines()) == 2
    assert (await run("import", str(tmp_path / "none"), "--dataset", slug)).returncode == 2
