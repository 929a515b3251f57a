"""The register of consents against the log: each row was logged as it stands, and none that was logged is gone.

A word by itself has an event, which commits to its row; rows of a file, and those of the clock, are committed to
together, in the order of their ids. Events of before there were commitments are
held to what they say in the clear.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession


def _micros(instant: str) -> str:
    return f"(extract(epoch from {instant}) * 1000000)::bigint"


_SHA256: Final = f"""sha256(convert_to(jsonb_build_array(c.id, c.dataset_id, encode(c.subject, 'hex'), c.purpose,
    c.event, {_micros("c.at")}, {_micros("c.expires_at")}, encode(c.notice_sha256, 'hex'), c.notice_language,
    c.notice_version, c.evidence, c.method, c.jurisdiction, c.owner_event_id, c.recorded_by,
    {_micros("c.recorded_at")})::text, 'UTF8'))"""
ROW: Final = f"encode({_SHA256}, 'hex')"
"""SQL: what an event commits to of a row `c` of consent_event."""
ROWS: Final = f"encode(sha256(coalesce(string_agg({_SHA256}, ''::bytea order by c.id), ''::bytea)), 'hex')"
"""SQL: the same of many rows, an aggregate."""


def _opens(commitment: str, salt: str, said: str) -> str:
    opened = f"encode(sha256(decode({salt}, 'hex') || convert_to({said}, 'UTF8')), 'hex') = {commitment}"
    return f"case when {salt} ~ '^[0-9a-f]{{32}}$' then {opened} else false end"


_SINGLE: Final = "('consent:give', 'consent:withdraw', 'consent:revoke')"
_SAID: Final = text(f"""
    select case when c.id is null then 'register.row_missing' else 'register.row_changed' end as code,
        coalesce(e.body ->> 'consent_event_id', e.id::text) as where
    from event e left join event_salt s on s.event_id = e.id
    left join consent_event c on c.id::text = e.body ->> 'consent_event_id'
    where e.name in {_SINGLE} and (c.id is null
        or (c.dataset_id, c.purpose, floor(extract(epoch from c.at) * 1000)::bigint::text, case c.event
            when 'given' then 'consent:give' when 'withdrawn' then 'consent:withdraw' when 'revoked'
            then 'consent:revoke' end) is distinct from (e.dataset_id, e.purpose, e.body ->> 'said_at', e.name)
        or s.secrets ? 'row' and not {_opens("(e.body ->> 'row_commitment')", "(s.secrets ->> 'row')", ROW)})
""")
_OF_THEM: Final = "coalesce(loose.digest, encode(sha256(''), 'hex'))"
_TOGETHER: Final = text(f"""
    with loose as (
        select c.dataset_id, c.event = 'expired' as by_clock, {_micros("c.recorded_at")}::text as recorded_us,
            count(*) as rows, min(c.id::text) as first, {ROWS} as digest
        from consent_event c where not exists (
            select from event e where e.name in {_SINGLE} and e.body ->> 'consent_event_id' = c.id::text)
        group by 1, 2, 3
    ), sent as (
        select e.id, e.dataset_id, e.name = 'consent:expire' as by_clock, e.body ->> 'recorded_us' as recorded_us,
            case e.name when 'consent:import' then (e.body ->> 'given')::bigint
                + (e.body ->> 'withdrawn')::bigint + (e.body ->> 'revoked')::bigint
            else (select sum(n::bigint) from jsonb_each_text(e.body -> 'expired') as told (purpose, n))
            end as rows,
            e.body ->> 'rows_commitment' as commitment, s.secrets ->> 'rows' as salt
        from event e left join event_salt s on s.event_id = e.id
        where e.name in ('consent:import', 'consent:expire')
    )
    select case when sent.id is null then 'register.row_inserted' else 'register.rows_changed' end as code,
        coalesce(sent.id::text, loose.first) as where
    from loose full join (select * from sent where recorded_us is not null) as sent
        using (dataset_id, by_clock, recorded_us)
    where case when sent.id is null then not exists (
            select from sent as older where older.recorded_us is null and older.rows = loose.rows
                and older.dataset_id = loose.dataset_id and older.by_clock = loose.by_clock)
        else coalesce(loose.rows, 0) <> sent.rows or sent.salt is not null
            and not {_opens("sent.commitment", "sent.salt", _OF_THEM)} end
""")


class Altered(Struct, frozen=True, kw_only=True):
    """`where`: the row's id (of several that nothing logged, the first), or the event that told of many."""

    code: str
    where: str


async def check_register(session: AsyncSession) -> tuple[Altered, ...]:
    """Every difference; reads the whole register. For `Database.snapshot`."""
    found = [row for statement in (_SAID, _TOGETHER) for row in (await session.execute(statement)).all()]
    return tuple(Altered(code=row.code, where=row.where) for row in found)
