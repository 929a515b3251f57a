"""Exports: whole, provable, harmless in a spreadsheet, logged before and after; kept searches."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, cast
from uuid import UUID, uuid4

import pyarrow.parquet
import pytest
from litestar.response import Stream
from sqlalchemy import select, text

from marketplace.accounts.seats import Seats
from marketplace.audit.actions import record
from marketplace.audit.erasing import erase_secrets
from marketplace.audit.reads import Viewer
from marketplace.audit.sequencer import sequence_once
from marketplace.config import Config
from marketplace.db import embedded
from marketplace.db.base import ms_of, utcnow
from marketplace.db.engine import Database, database_url
from marketplace.db.keys import Keys
from marketplace.db.roles import OWNER
from marketplace.oversight.api import handlers
from marketplace.oversight.errors import TooManyExports
from marketplace.oversight.exporting import BATCH_EVENTS, MANIFEST, begin, export_stream, exported
from marketplace.oversight.forms import FIELDS
from marketplace.oversight.indexer import index_once
from marketplace.oversight.search import Search
from marketplace.verifier.note import open_checkpoint, parse_key
from tests.conftest import ClientFor
from tests.marketplace.api import Client
from tests.marketplace.audit.conftest import Log
from tests.marketplace.oversight.filling import fill, rows
from tests.marketplace.parties import Make, Party

LONG_EVENTS = 2 * BATCH_EVENTS + 1
EXPORTS, SEARCHES = "/api/v1/audit/exports", "/api/v1/audit/searches"


@pytest.fixture
def keys(config: Config) -> Keys:
    return Keys(config.path("keys"))


@pytest.fixture
async def client(client_for: ClientFor, keys: Keys) -> AsyncIterator[Client]:
    async with client_for(*handlers, keys=keys, exports=Seats(2, TooManyExports)) as client:
        yield client


@pytest.fixture
async def party(database: Database, make: Make, keys: Keys, config: Config) -> Party:
    """A startup that the log tells three things of, one of them written to be run by a spreadsheet."""
    startup = await make.party(database)
    async with database.session() as session:
        for said in ("Dân số", "=1+1", "khác"):
            await record(session, "test:event", parties=[startup.organisation.id], body={"text": said})
    await sequence_once(database, keys, config)
    return startup


def opened(content: bytes) -> tuple[dict[str, Any], bytes]:
    """The manifest, checked against the file beside it, and the file."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        manifest = json.loads(archive.read(MANIFEST))
        data = archive.read(manifest["file"])
    assert (len(data), hashlib.sha256(data).hexdigest()) == (manifest["bytes"], manifest["sha256"])
    return manifest, data


async def export(client: Client, token: str | None, form: str, **search: Any) -> bytes:
    answer = await client.post(EXPORTS, token=token, json={"form": form, "search": search})
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_who_may_export(client: Client, party: Party, database: Database, make: Make) -> None:
    stranger, operator = await make.party(database), await make.party(database, kind="operator")
    clerk = await make.party(database, kind="regulator", roles=[])
    body = {"search": {"organisation_id": str(party.organisation.id)}}
    assert (await client.post(EXPORTS, json=body)).status_code == 401
    assert (await client.post(EXPORTS, token=operator.token, json=body)).status_code == 403
    assert (await client.post(EXPORTS, token=clerk.token, json=body)).status_code == 403
    manifest, data = opened(await export(client, stranger.token, "ndjson", **body["search"]))
    assert (manifest["events"], data) == (0, b"")


async def test_the_same_events_in_every_form(client: Client, party: Party, database: Database, make: Make) -> None:
    regulator = await make.party(database, kind="regulator")
    asked = {"organisation_id": str(party.organisation.id), "name": "test:event"}
    found = {
        form: opened(await export(client, regulator.token, form, **asked)) for form in ("ndjson", "csv", "parquet")
    }
    assert {manifest["events"] for manifest, _ in found.values()} == {3}
    lines = [json.loads(line) for line in found["ndjson"][1].splitlines()]
    assert [line["body"]["text"] for line in lines] == ["khác", "=1+1", "Dân số"]
    sheet = list(csv.DictReader(io.StringIO(found["csv"][1].decode())))
    assert [row["id"] for row in sheet] == [line["id"] for line in lines]
    table = pyarrow.parquet.read_table(io.BytesIO(found["parquet"][1])).to_pylist()
    instants = [ms_of(datetime.fromisoformat(row["at"])) for row in sheet]
    assert all(row["at"].endswith("+07:00") for row in sheet), "the zone is told"
    assert instants == [ms_of(row["at"]) for row in table] == [line["at"] for line in lines]
    assert [row["leaf_index"] for row in table] == [line["leaf_index"] for line in lines]
    assert list(table[0]) == list(sheet[0]) == list(FIELDS)
    head = open_checkpoint(found["csv"][0]["checkpoint"], parse_key(found["csv"][0]["log_key"]))
    assert all(line["leaf_index"] < head.size for line in lines)


async def test_a_cell_that_would_be_run_is_made_harmless(
    client: Client, party: Party, database: Database, keys: Keys, config: Config
) -> None:
    async with database.session() as session:
        await record(session, "test:event", parties=[party.organisation.id], purpose="=cmd|' /C calc'!A0")
    await sequence_once(database, keys, config)
    _, data = opened(await export(client, party.token, "csv"))
    assert b",'=cmd" in data
    assert b",=cmd" not in data


async def test_an_export_is_logged_before_its_first_byte_and_with_its_manifest(
    client: Client, party: Party, database: Database, make: Make
) -> None:
    regulator = await make.party(database, kind="regulator")
    content = await export(client, regulator.token, "ndjson", organisation_id=str(party.organisation.id))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        digest = hashlib.sha256(archive.read(MANIFEST)).hexdigest()
    mine = {"organisation": str(regulator.organisation.id)}
    answer = await client.get("/api/v1/audit/events", token=regulator.token, params=mine)
    told = {event["name"]: event for event in answer.json()["items"]}
    assert told["log:exported"]["body"] == {
        "begun": told["log:export"]["id"],
        "events": 3,
        "manifest_sha256": digest,
    }
    assert told["log:export"]["body"]["filter"] == {"organisation_id": str(party.organisation.id)}


@pytest.fixture
def long(log: Log) -> Log:
    """A log of two batches and one event, whose head is signed."""
    fill(embedded.url(log.config.home, OWNER), rows(LONG_EVENTS))
    log.tamper(
        f"INSERT INTO checkpoint (size, root, note, at) VALUES ({LONG_EVENTS}, '', '', now())",
        f"INSERT INTO published (size, at) VALUES ({LONG_EVENTS}, now())",
    )
    return log


@pytest.mark.parametrize("state", ["not indexed", "indexed"])
async def test_a_slow_reader_holds_no_connection_and_misses_nothing(long: Log, state: str) -> None:
    if state == "indexed":
        assert await index_once(long.database) == 2
    viewer, narrow = Viewer(uuid4(), uuid4(), "regulator"), Database(database_url(long.config), connections=1)
    begun, checkpoint = await begin(narrow, viewer, Search(), "ndjson")
    content, free = b"", 0
    async for piece in exported(
        narrow, viewer, Search(), "ndjson", begun=begun, checkpoint=checkpoint, log_key=""
    ):
        content += piece
        async with narrow.session() as session:
            free += await session.scalar(select(1)) or 0
    await narrow.close()
    manifest, data = opened(content)
    ids = [json.loads(line)["id"] for line in data.splitlines()]
    assert (manifest["events"], len(ids), len(set(ids))) == (LONG_EVENTS,) * 3
    assert free >= 3


async def test_an_organisation_takes_few_exports_at_once_and_another_is_not_kept_out(long: Log) -> None:
    exports, mine, other = (
        Seats(1, TooManyExports),
        Viewer(uuid4(), uuid4(), "startup"),
        Viewer(uuid4(), uuid4(), "owner"),
    )

    async def begun(viewer: Viewer) -> Stream:
        return await export_stream(long.database, long.config, long.keys, exports, viewer, Search(), "ndjson")

    first = await begun(mine)
    with pytest.raises(TooManyExports):
        await begun(mine)
    await begun(other)
    async for _ in cast(AsyncIterator[bytes], first.iterator):
        pass
    await begun(mine)
    assert not exports.taken, "nobody reads them any more"


async def test_an_export_given_up_leaves_the_event_that_it_began_and_no_more(long: Log) -> None:
    log, viewer = long, Viewer(uuid4(), uuid4(), "regulator")
    begun, checkpoint = await begin(log.database, viewer, Search(), "ndjson")
    pieces = exported(log.database, viewer, Search(), "ndjson", begun=begun, checkpoint=checkpoint, log_key="")
    first = await anext(pieces)
    await pieces.aclose()
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(first))
    assert await log.one("SELECT count(*) FROM event WHERE name = 'log:export'") == 1
    assert await log.one("SELECT count(*) FROM event WHERE name = 'log:exported'") == 0


async def test_what_a_reader_typed_is_committed_to_and_gone_with_its_salts(
    client: Client, party: Party, database: Database, make: Make
) -> None:
    regulator = await make.party(database, kind="regulator")
    typed = {"q": "Nguyễn Thị Sáu"}
    kept = {"name": "Vụ bà Sáu", "search": typed}
    made = (await client.post(SEARCHES, token=regulator.token, json=kept)).json()["items"][0]["id"]
    await client.delete(f"{SEARCHES}/{made}", token=regulator.token)
    await client.get("/api/v1/audit/events", token=regulator.token, params=typed)
    await export(client, regulator.token, "ndjson", **typed)
    names = ("search:save", "search:remove", "log:read", "log:export")
    query = """
        SELECT event.name, CAST(event.body AS text) AS body, event_salt.secrets
        FROM event JOIN event_salt ON event_salt.event_id = event.id
        WHERE event.parties @> ARRAY[CAST(:party AS uuid)] AND event.name = ANY(:names)
    """
    async with database.session() as session:
        of_it = {"party": regulator.organisation.id, "names": list(names)}
        told = {row.name: row for row in await session.execute(text(query), of_it)}
        assert not any("Sáu" in row.body for row in told.values())
        committed = {name: set(row.secrets) for name, row in told.items()}
        assert committed == {
            "search:save": {"name", "q"}, "search:remove": {"name"}, "log:read": {"q"}, "log:export": {"q"},
        }  # fmt: skip
        asked: dict[str, Any] = {"party": regulator.organisation.id, "about": {}, "at": utcnow()}
        erased = [await erase_secrets(session, name=name, **asked) for name in names]
        assert erased == [2, 1, 1, 1]


async def test_searches_are_kept_for_oneself_or_for_all_readers(
    client: Client, database: Database, make: Make
) -> None:
    regulator = await make.party(database, kind="regulator")
    async with database.session() as session:
        colleague = await make.token(session, await make.person(session, regulator.organisation))
    other = await make.party(database, kind="regulator")
    startup = await make.party(database)

    async def keep(token: str | None, name: str, *, shared: bool) -> Any:
        body = {"name": name, "shared": shared, "search": {"decision": "deny", "q": "dân số"}}
        return await client.post(SEARCHES, token=token, json=body)

    assert (await keep(None, "x", shared=True)).status_code == 401
    assert (await keep(startup.token, "x", shared=True)).status_code == 403
    assert (await keep(regulator.token, "riêng", shared=False)).status_code == 201
    kept = (await keep(regulator.token, "chung", shared=True)).json()["items"]
    assert [(each["name"], each["shared"], each["mine"]) for each in kept] == [
        ("chung", True, True), ("riêng", False, True),
    ]  # fmt: skip
    again = await keep(regulator.token, "chung", shared=True)
    assert (again.status_code, again.json()["code"]) == (409, "search.name_taken")
    seen = (await client.get(SEARCHES, token=colleague)).json()["items"]
    assert [(each["name"], each["mine"]) for each in seen] == [("chung", False)]
    assert seen[0]["search"] == {"decision": "deny", "q": "dân số"}
    assert (await client.get(SEARCHES, token=other.token)).json()["items"] == []
    path = f"{SEARCHES}/{UUID(seen[0]['id'])}"
    assert (await client.delete(path, token=colleague)).status_code == 404
    assert (await client.delete(path, token=regulator.token)).status_code == 204
    assert (await client.get(SEARCHES, token=colleague)).json()["items"] == []
