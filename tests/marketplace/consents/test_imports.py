"""Many events at once: what is right is kept, what is wrong is told, twice is once, and a file bombs nothing."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.senders import Sender
from marketplace.config import Config
from marketplace.consents import staging, writing
from marketplace.consents.errors import FileNotUnderstood, FileRefused, TableRefused, TooManyLines
from marketplace.consents.imports import Importing, import_events
from marketplace.consents.lines import MAX_LINE_BYTES, Lines, LineWrong
from marketplace.consents.models import ConsentEvent
from marketplace.consents.schemas import Imported
from marketplace.consents.staging import Piece
from marketplace.db.engine import Database, DatabaseUnavailable
from tests.examples import tried
from tests.marketplace.consents.conftest import PEOPLE, PURPOSES, Listed
from tests.marketplace.consents.test_register import events_of, gone

PURPOSE, OTHER = PURPOSES
STRANGER = "790000009999"
FULL = {
    "expires_at": "2099-01-01T00:00:00Z", "notice_sha256": "cd" * 32, "notice_language": "vi",
    "notice_version": "2", "evidence": 'hồ sơ "12"; tủ 3', "method": "paper", "jurisdiction": "VN-HN",
}  # fmt: skip


def said(number: int, subject: str, event: str = "given", **more: Any) -> dict[str, Any]:
    fields = {
        "event_id": f"E{number}", "subject": subject, "purpose": PURPOSE, "event": event,
        "at": "2026-01-31T08:00:00+07:00",
    }  # fmt: skip
    return fields | more


def as_csv(events: Sequence[dict[str, Any]]) -> bytes:
    out = io.StringIO()
    names = sorted({name for each in events for name in each})
    writer = csv.DictWriter(out, names, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(events)
    return ("\ufeff" + out.getvalue()).encode()


def as_ndjson(events: Sequence[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(each) + "\n" for each in events).encode()


def as_table(events: Sequence[dict[str, Any]]) -> pa.Table:
    names = sorted({name for each in events for name in each})
    table = pa.table({name: [each.get(name) for each in events] for name in names})
    instants = table.column("at").cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("ms", "Asia/Ho_Chi_Minh"))
    return table.set_column(names.index("at"), "at", instants)


def as_stream(events: Sequence[dict[str, Any]]) -> bytes:
    sink, table = pa.BufferOutputStream(), as_table(events)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def as_arrow_file(events: Sequence[dict[str, Any]]) -> bytes:
    sink, table = pa.BufferOutputStream(), as_table(events)
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def as_parquet(events: Sequence[dict[str, Any]]) -> bytes:
    sink = pa.BufferOutputStream()
    parquet.write_table(as_table(events), sink)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


FORMS: dict[str, Callable[[Sequence[dict[str, Any]]], bytes]] = {
    "csv": as_csv, "ndjson": as_ndjson, "arrow stream": as_stream, "arrow file": as_arrow_file,
    "parquet": as_parquet,
}  # fmt: skip

Take = Callable[..., Any]


@pytest.fixture
def take(config: Config, database: Database, listed: Listed, tmp_path: Path) -> Take:
    async def taken(content: bytes, *, all_or_nothing: bool = False, max_lines: int = 1_000_000) -> Imported:
        source = tmp_path / "events"
        source.write_bytes(content)
        parts = Importing(
            config=Config(home=config.home, consents_file_max_lines=max_lines),
            database=database,
            store=listed.store,
            keys=listed.keys,
        )
        by = Sender(person_id=listed.owner.person.id, organisation_id=listed.owner.organisation.id)
        return await import_events(
            parts, by=by, dataset_id=listed.dataset_id, source=source, all_or_nothing=all_or_nothing
        )

    return taken


async def register(database: Database, listed: Listed) -> list[ConsentEvent]:
    chosen = select(ConsentEvent).where(ConsentEvent.dataset_id == listed.dataset_id)
    async with database.session() as session:
        return list((await session.scalars(chosen.order_by(ConsentEvent.owner_event_id))).all())


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
async def test_every_form_of_a_file_says_the_same(
    database: Database, listed: Listed, take: Take, form: Any
) -> None:
    events = [
        said(1, PEOPLE[0], **FULL),
        said(2, f" {PEOPLE[1]} ", purpose=OTHER),
        said(3, PEOPLE[13], "withdrawn"),
    ]
    done = await take(form(events))
    assert (done.given, done.withdrawn, done.revoked, done.already, done.faults) == (2, 1, 0, 0, ())
    rows = await register(database, listed)
    assert [row.subject for row in rows] == [listed.pseudonym(PEOPLE[n]) for n in (0, 1, 13)]
    first = rows[0]
    assert first.at.timestamp() == 1769821200
    assert (first.evidence, first.notice_sha256) == (FULL["evidence"], b"\xcd" * 32)
    assert (first.method, first.jurisdiction, first.notice_language) == ("paper", "VN-HN", "vi")
    assert (first.expires_at is not None, rows[1].expires_at) == (True, None)
    assert {row.recorded_by for row in rows} == {listed.owner.person.id}
    assert await gone(database, listed) == (frozenset({1}), 1)


async def test_the_same_file_twice_changes_nothing(database: Database, listed: Listed, take: Take) -> None:
    content = as_ndjson([said(1, PEOPLE[0], **FULL), said(2, PEOPLE[13], "withdrawn"), said(1, PEOPLE[0], **FULL)])
    first, again = await take(content), await take(content, all_or_nothing=True)
    assert (first.given, first.withdrawn, first.already) == (1, 1, 1)
    assert (again.given, again.withdrawn, again.already, again.fault_count) == (0, 0, 3, 0)
    assert len(await register(database, listed)) == 2
    assert await gone(database, listed) == (frozenset({1}), 1)


async def test_an_id_with_another_content_is_told_and_the_register_stays(
    database: Database, listed: Listed, take: Take
) -> None:
    await take(as_ndjson([said(1, PEOPLE[0])]))
    other = as_ndjson([said(2, PEOPLE[2]), said(1, PEOPLE[1]), said(2, PEOPLE[3])])
    done = await take(other)
    assert [(each.line, each.code) for each in done.faults] == [(2, "consent.id_reused"), (3, "consent.id_reused")]
    assert (done.given, done.already, done.fault_count) == (1, 0, 2)
    assert [r.subject for r in await register(database, listed)] == [listed.pseudonym(PEOPLE[n]) for n in (0, 2)]
    with pytest.raises(FileRefused):
        await take(as_ndjson([said(9, PEOPLE[9]), said(1, PEOPLE[1])]), all_or_nothing=True)
    assert len(await register(database, listed)) == 2


async def test_what_is_known_is_found_in_whichever_piece_of_a_file_it_stands(
    database: Database, listed: Listed, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first pieces go straight into the register, the others are merged."""
    monkeypatch.setattr(staging, "LINES_AT_ONCE", 2)
    numbers = [1, 2, 3, 4, 1, 5, 2, 6, 7]
    events = [said(n, PEOPLE[8 if line == 6 else n]) for line, n in enumerate(numbers)]
    done = await take(as_ndjson([*events, said(8, PEOPLE[9], "withdrawn")]))
    assert (done.given, done.withdrawn, done.already) == (7, 1, 1)
    assert [(each.line, each.code) for each in done.faults] == [(7, "consent.id_reused")]
    known = await register(database, listed)
    assert [r.subject for r in known] == [listed.pseudonym(PEOPLE[n]) for n in (*range(1, 8), 9)]
    assert (await gone(database, listed))[1] == 1


async def test_withdrawals_of_a_file_are_one_step_and_the_log_tells_not_who_was_in(
    database: Database, listed: Listed, take: Take
) -> None:
    logged = []
    for name, people in (("a", PEOPLE), ("b", [STRANGER + str(n) for n in range(20)])):
        before = len(await events_of(database, listed))
        await take(as_csv([said(n, p, "withdrawn", event_id=f"{name}{n}") for n, p in enumerate(people)]))
        assert await gone(database, listed) == (frozenset({0, 1}), 1)
        logged.append((await events_of(database, listed))[before:])
    assert [[(e.name, e.revision, sorted(e.body)) for e in events] for events in logged[:1]] == [
        [(e.name, e.revision, sorted(e.body)) for e in logged[1]]
    ]
    assert [e.name for e in logged[0]] == ["consent:import", "dataset:revision"]
    assert "file_sha256_commitment" in logged[0][0].body


async def test_a_withdrawal_that_was_overtaken_by_a_later_yes_takes_nobody_out(
    database: Database, listed: Listed, take: Take
) -> None:
    later = "2026-02-28T08:00:00+07:00"
    await take(as_csv([said(1, PEOPLE[0], "withdrawn"), said(2, PEOPLE[0], at=later), said(3, PEOPLE[13])]))
    assert await gone(database, listed) == (frozenset(), 0)
    async with database.session() as session:
        consenting = {(listed.pseudonym(PEOPLE[0]), 1, 0), (listed.pseudonym(PEOPLE[13]), 1, 0)}
        assert await listed.standing(session) == consenting


async def test_what_had_run_out_before_it_came_is_out_with_it(
    database: Database, listed: Listed, take: Take
) -> None:
    await take(as_ndjson([said(1, PEOPLE[13], expires_at="2026-02-01T00:00:00Z"), said(2, PEOPLE[0])]))
    assert await gone(database, listed) == (frozenset({1}), 1)
    assert [row.event for row in await register(database, listed)] == ["given", "given", "expired"]


RIGHT = json.dumps(said(1, PEOPLE[0])).encode()
WRONG: dict[str, tuple[bytes, str]] = {
    "not utf-8": (RIGHT.replace(b"E1", b"\xff\xfe"), "consent.line_encoding"),
    "too long": (RIGHT + b" " * MAX_LINE_BYTES, "consent.line_too_long"),
    "no object": (b"[1, 2]", "consent.line_broken"),
    "deep": (b'{"event_id": ' + b"[" * 9000, "consent.line_field"),
    "cut off": (RIGHT[:-9], "consent.line_broken"),
    "NUL in an id": (json.dumps(said(1, PEOPLE[0], event_id="a\0b")).encode(), "request.unstorable"),
    "half a character": (RIGHT.replace(b"E1", b"\\ud800"), "consent.line_broken"),
    "a missing field": (b'{"event_id": "7"}', "consent.line_missing"),
    "an unknown field": (RIGHT[:-1] + b', "name": "Nam"}', "consent.line_field"),
    "no time zone": (RIGHT.replace(b"+07:00", b""), "consent.line_field"),
    "another purpose": (RIGHT.replace(PURPOSE.encode(), b"model.training"), "consent.line_purpose"),
    "nobody": (json.dumps(said(1, "  ")).encode(), "consent.subject_length"),
    "the future": (RIGHT.replace(b"2026-01", b"2999-01"), "consent.in_the_future"),
    "the clock's own word": (RIGHT.replace(b"given", b"expired"), "consent.line_field"),
    "long ago": (RIGHT.replace(b"2026-01", b"0001-01"), "request.unstorable"),
    "a withdrawal that runs out": (
        json.dumps(said(1, PEOPLE[0], "withdrawn", expires_at="2099-01-01T00:00:00Z")).encode(),
        "consent.expiry_of_nothing",
    ),
}


async def test_wrong_lines_are_told_by_number_and_the_rest_is_kept_or_the_whole_refused(
    database: Database, listed: Listed, take: Take
) -> None:
    lines = [line for line, _ in WRONG.values()]
    content = b"\n".join([*lines, b"", json.dumps(said(2, PEOPLE[2])).encode()])
    with pytest.raises(FileRefused) as refused:
        await take(content, all_or_nothing=True)
    assert await register(database, listed) == []
    assert refused.value.params["count"] == len(WRONG)
    done = await take(content)
    told = [(each.line, each.code) for each in done.faults]
    assert told == [(n, code) for n, (_, code) in enumerate(WRONG.values(), 1)]
    assert (done.given, done.fault_count, len(await register(database, listed))) == (1, len(WRONG), 1)
    assert PEOPLE[0] not in str(done)
    assert PEOPLE[0] not in str(refused.value.params)


HEADER = ",".join(["event_id", "subject", "purpose", "event", "at", "evidence"])
CSV_WRONG = {
    "a quote that does not close": (
        f'1,{PEOPLE[0]},{PURPOSE},given,2026-01-01T00:00:00Z,"x',
        "consent.line_broken",
    ),
    "too few cells": ("1,2", "consent.line_cells"),
    "too many": ("," * 5000, "consent.line_cells"),
    "a cell left blank": (f"1,{PEOPLE[0]},{PURPOSE},given,,x", "consent.line_missing"),
}


async def test_a_stray_quote_swallows_no_line_after_it(database: Database, listed: Listed, take: Take) -> None:
    right = f"9,{PEOPLE[9]},{PURPOSE},given,2026-01-01T00:00:00Z,"
    content = "\n".join([HEADER, *(line for line, _ in CSV_WRONG.values()), right]).encode() + b"\n\xff,,,,,\n"
    done = await take(content)
    codes = [*(code for _, code in CSV_WRONG.values()), "consent.line_encoding"]
    assert [(each.line, each.code) for each in done.faults] == list(zip((2, 3, 4, 5, 7), codes, strict=True))
    assert [row.owner_event_id for row in await register(database, listed)] == ["9"]


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\n", b"\x00" * 100, b"a,b,c\n1,2,3\n", b"," * 100_000, HEADER.encode("utf-16"),
        f"{HEADER},subject\n".encode(), f"{HEADER},name\n".encode(), b"x" * 1_000_000,
    ],
    ids=["empty", "blank", "NUL", "other columns", "a million columns", "utf-16", "twice", "unknown", "one line"],
)  # fmt: skip
async def test_a_file_that_is_none_of_ours_is_not_understood(take: Take, content: bytes) -> None:
    with pytest.raises(FileNotUnderstood):
        await take(content)


async def test_a_file_of_too_many_lines_is_not_read_to_its_end(
    database: Database, listed: Listed, take: Take
) -> None:
    content = as_csv([said(n, PEOPLE[n]) for n in range(9)]) + b"\n" * 1000
    with pytest.raises(TooManyLines):
        await take(content, max_lines=100)
    assert await register(database, listed) == []


def bomb_of_nulls() -> bytes:
    """A few hundred bytes that say they are 2⁴⁰ rows."""
    sink = pa.BufferOutputStream()
    batch = pa.RecordBatch.from_arrays([pa.Array.from_buffers(pa.null(), 2**31 - 1, [None])], names=["subject"])
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def table_bytes(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


TABLES = {
    "rows without bytes": (bomb_of_nulls(), "ingest.too_many_rows"),
    "cut off": (as_stream([said(1, PEOPLE[0])])[:-40] + b"\xff" * 32, "ingest.arrow_broken"),
    "no footer": (b"PAR1" + b"\xff" * 64, "ingest.arrow_broken"),
    "nested": (table_bytes(pa.table({"subject": [["a"]]})), "ingest.arrow_broken"),
    "unknown column": (table_bytes(pa.table({"name": ["a"]})), "ingest.columns_unknown"),
    "many columns": (table_bytes(pa.table({f"c{n}": ["a"] for n in range(3000)})), "ingest.too_many_columns"),
}


@pytest.mark.parametrize(("content", "code"), TABLES.values(), ids=TABLES.keys())
async def test_a_hostile_table_is_refused_by_name(take: Take, content: bytes, code: str) -> None:
    with pytest.raises(TableRefused) as refused:
        await take(content)
    assert refused.value.code == code


@settings(max_examples=tried(50), deadline=None)
@given(
    content=st.one_of(st.binary(max_size=400), st.binary(max_size=200).map(lambda b: HEADER.encode() + b"\n" + b))
)
def test_whatever_bytes_come_every_line_is_an_event_or_told(content: bytes) -> None:
    with contextlib.suppress(FileNotUnderstood):
        lines = Lines(io.BytesIO(content), max_lines=1000)
        for line in lines:
            with contextlib.suppress(LineWrong):
                assert lines.read(line).subject


async def test_a_database_that_goes_away_in_the_middle_is_told_as_such_and_nothing_is_recorded(
    database: Database, listed: Listed, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is cut by the server while rows are copied."""
    copy = writing._copy

    async def cut(session: AsyncSession, piece: Piece, table: str) -> None:
        own = await session.scalar(text("SELECT pg_backend_pid()"))
        async with database.session() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": own})
        await copy(session, piece, table)

    monkeypatch.setattr(writing, "_copy", cut)
    with pytest.raises(DatabaseUnavailable):
        await take(as_ndjson([said(1, PEOPLE[0])]))
    assert await register(database, listed) == []
