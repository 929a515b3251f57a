"""Step 9, release: the stored answer, if what it was made from may still be used (invariant 5)."""

from __future__ import annotations

import asyncio
from uuid import UUID

from msgspec import Struct
from sqlalchemy import RowMapping, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.accounts.errors import OrganisationSuspended
from marketplace.audit.actions import record
from marketplace.consents.cohorts import Cohorts
from marketplace.consents.expiry import DUE, expire
from marketplace.db.engine import Database
from marketplace.errors import NotFound
from marketplace.queries.errors import AnswerErased, NotNamed, NotReady, ResultGone
from marketplace.queries.keeping import Answer, Answers, AtRest

STORED = text(f"""
select q.state, q.failure ->> 'code' = 'query.answer_erased' as erased,
       l.dataset_id, l.owner_id, a.partner_id, l.agreement_id, q.purpose, l.version_id, l.revision,
       q.rows, q.result_sha256, r.expires_at > now() as alive, r.wrapped_key, r.size_bytes,
       case when row_number() over (order by l.agreement_id) = 1 then r.body end as body,
       a.ended_at is not null or a.expires_at <= now() as over,
       exists (select from version_withdrawal w where w.version_id = l.version_id and w.bars_answers) as withdrawn,
       (select count(*) from excluded_cohort x where x.version_id = l.version_id
           and (x.purpose is null or x.purpose = q.purpose)) <> l.excluded_seen
           or l.version_id is distinct from d.current_version_id and exists (select from consent_event w
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
answers, or one's that was taken back, go with any such event."""

STAYS = text("""
select pg_advisory_xact_lock_shared(hashtextextended(version_id, 0)) from (
    select version_id from query_line where query_id = :id and version_id is not null order by agreement_id) line
""")
"""As `db.locks.version_locked`: no cohort leaves between the look and the event that says so."""


class StoredResult(Struct, frozen=True, kw_only=True):
    """An answer that may be read now. `sha256`: of its Arrow stream."""

    answer: Answer
    rows: int
    sha256: str


async def result(
    session: AsyncSession, answers: Answers, *, caller: Caller, query_id: UUID, database: Database, store: Cohorts
) -> StoredResult:
    """The answer, opened, and an event that it was fetched. What ran out by now is written first.

    Raises NotFound, NotReady (runs, failed or denied), AnswerErased, ResultGone (expired, agreement over, version
    or consent withdrawn), NotNamed, OrganisationSuspended, ResultUnreadable.
    """
    whose = {"id": query_id, "organisation": caller.organisation_id, "person": caller.person_id}
    lines = (await session.execute(STORED, whose)).mappings().all()
    if not lines or caller.organisation_kind != "startup":
        raise NotFound(what="query")
    if due := [line["dataset_id"] for line in lines if line["expiries_due"]]:
        for dataset_id in due:
            # Each by itself: all in one, and a query that settles and locks in another order, would wait for ever.
            async with database.session() as own:
                await expire(own, dataset_id=dataset_id, store=store)
    await session.execute(STAYS, {"id": query_id})
    lines = (await session.execute(STORED, whose)).mappings().all()
    if caller.organisation_suspended:
        raise OrganisationSuspended
    if not all(line["named"] for line in lines):
        raise NotNamed
    first = lines[0]
    if first["erased"]:
        raise AnswerErased
    if first["state"] != "ready":
        raise NotReady(state=first["state"])
    for gone, why in (
        (any(line["over"] for line in lines), "agreement_over"),
        (any(line["withdrawn"] for line in lines), "version_withdrawn"),
        (any(line["changed"] for line in lines), "data_changed"),
        (not first["alive"], "expired"),
    ):
        if gone:
            raise ResultGone(cause=why)
    kept = AtRest(wrapped_key=first["wrapped_key"], size_bytes=first["size_bytes"], body=first["body"])
    answer = await asyncio.to_thread(answers.open, query_id, kept)
    for line in lines:
        await _fetched(session, caller, query_id, line)
    return StoredResult(answer=answer, rows=first["rows"], sha256=first["result_sha256"])


async def _fetched(session: AsyncSession, caller: Caller, query_id: UUID, line: RowMapping) -> None:
    """Each dataset's owners see that the answer was fetched."""
    await record(
        session,
        "query:fetch",
        actor_person_id=caller.person_id,
        actor_organisation_id=caller.organisation_id,
        parties=[each for each in (caller.organisation_id, line["owner_id"], line["partner_id"]) if each],
        dataset_id=line["dataset_id"],
        agreement_id=line["agreement_id"],
        query_id=query_id,
        purpose=line["purpose"],
        version_id=line["version_id"],
        revision=line["revision"],
        body={"result_sha256": line["result_sha256"]},
    )
