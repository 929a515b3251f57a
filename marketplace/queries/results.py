"""Step 9, release: the stored answer, if what it was made from may still be used (invariant 5)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from msgspec import Struct
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import OrganisationSuspended
from marketplace.audit.actions import record
from marketplace.consents.cohorts import Cohorts
from marketplace.consents.expiry import DUE, expire
from marketplace.errors import NotFound
from marketplace.queries.errors import NotNamed, NotReady, ResultGone

STORED = text(f"""
select q.state, l.dataset_id, l.owner_id, l.agreement_id, q.purpose, l.version_id, l.revision, q.rows,
       q.result_sha256, r.expires_at > now() as alive,
       case when row_number() over (order by l.agreement_id) = 1 then r.body end as body,
       a.ended_at is not null or a.expires_at <= now() as over,
       (select count(*) from excluded_cohort x where x.version_id = l.version_id
           and (x.purpose is null or x.purpose = q.purpose)) <> l.excluded_seen
           or l.version_id <> d.current_version_id and exists (select from consent_event w
               where w.dataset_id = l.dataset_id and w.purpose = q.purpose and w.event <> 'given'
               and w.recorded_at > q.created_at) as changed,
       {DUE} as expiries_due,
       :person = any(a.people) as named
from query q join query_line l on l.query_id = q.id
join agreement a on a.id = l.agreement_id join dataset d on d.id = l.dataset_id
left join query_result r on r.query_id = q.id
where q.id = :id and q.organisation_id = :organisation order by l.agreement_id
""")
"""A row a line, the answer in the first. What ends consent takes cohorts out of the newest version; an older one's
answers go with any such event."""


class StoredResult(Struct, frozen=True, kw_only=True):
    stream: bytes
    rows: int
    sha256: str


async def result(session: AsyncSession, *, caller: Caller, query_id: UUID, store: Cohorts) -> StoredResult:
    """The answer as an Arrow stream, and an event that it was fetched.

    Raises NotFound, NotReady (runs, failed or denied), ResultGone (expired, agreement over, consent withdrawn),
    NotNamed, OrganisationSuspended.
    """
    whose = {"id": query_id, "organisation": caller.organisation_id, "person": caller.person_id}
    lines = (await session.execute(STORED, whose)).mappings().all()
    if not lines or caller.organisation_kind != "startup":
        raise NotFound(what="query")
    if due := [line["dataset_id"] for line in lines if line["expiries_due"]]:
        for dataset_id in due:
            await expire(session, dataset_id=dataset_id, store=store)
        lines = (await session.execute(STORED, whose)).mappings().all()
    if caller.organisation_suspended:
        raise OrganisationSuspended
    if not all(line["named"] for line in lines):
        raise NotNamed
    first = lines[0]
    if first["state"] != "ready":
        raise NotReady(state=first["state"])
    for gone, why in (
        (any(line["over"] for line in lines), "agreement_over"),
        (any(line["changed"] for line in lines), "data_changed"),
        (not first["alive"], "expired"),
    ):
        if gone or first["body"] is None:
            raise ResultGone(cause=why)
    for line in lines:
        await _fetched(session, caller, query_id, line)
    return StoredResult(stream=first["body"], rows=first["rows"], sha256=first["result_sha256"])


async def _fetched(session: AsyncSession, caller: Caller, query_id: UUID, line: RowMapping) -> None:
    """Each dataset's owner sees that the answer was fetched."""
    await record(
        session,
        "query:fetch",
        actor_person_id=caller.person_id,
        actor_organisation_id=caller.organisation_id,
        parties=(caller.organisation_id, line["owner_id"]),
        dataset_id=line["dataset_id"],
        agreement_id=line["agreement_id"],
        query_id=query_id,
        purpose=line["purpose"],
        version_id=line["version_id"],
        revision=line["revision"],
        body={"result_sha256": line["result_sha256"]},
    )


def to_json(stream: bytes) -> bytes:
    """An array of objects; dates and instants in ISO 8601, decimals as text, so that no digit is lost."""
    return msgspec.json.encode(_objects(_read(stream)))


def to_csv(stream: bytes) -> bytes:
    """RFC 4180 with header; a text that a spreadsheet would run as a formula gets a leading apostrophe."""
    table = _read(stream)
    columns = [_harmless(c) if pa.types.is_string(c.type) else _flat(c) for c in table.columns]
    out = io.BytesIO()
    pyarrow.csv.write_csv(pa.table(columns, names=[_harmless_text(n) for n in table.column_names]), out)
    return out.getvalue()


def to_parquet(stream: bytes) -> bytes:
    out = io.BytesIO()
    pyarrow.parquet.write_table(_read(stream), out, compression="zstd")
    return out.getvalue()


def to_arrow(stream: bytes) -> bytes:
    return stream


FORMATS: dict[str, Callable[[bytes], bytes]] = {
    "application/json": to_json,
    "text/csv": to_csv,
    "application/vnd.apache.parquet": to_parquet,
    "application/vnd.apache.arrow.stream": to_arrow,
}
"""Media type → converter of the stored stream."""


def rows_of(stream: bytes, limit: int) -> list[dict[str, Any]]:
    """The first rows, for a page."""
    return _objects(_read(stream).slice(0, limit))


def _objects(table: pa.Table) -> list[dict[str, Any]]:
    columns = [_values(column) for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Python's calendar ends with the year 9999, the engine's does not: such days are shown as text."""
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        text_type = pa.list_(pa.string()) if pa.types.is_nested(column.type) else pa.string()
        values = column.cast(text_type).to_pylist()
    return values


def _read(stream: bytes) -> pa.Table:
    return pa.ipc.open_stream(stream).read_all()


def _harmless(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([None if v is None else _harmless_text(v) for v in column.to_pylist()], pa.string())


def _harmless_text(value: str) -> str:
    return "'" + value if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def _flat(column: pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """CSV has no lists: they are written as JSON."""
    if not pa.types.is_nested(column.type):
        return column
    return pa.array([None if v is None else msgspec.json.encode(v).decode() for v in column.to_pylist()])
