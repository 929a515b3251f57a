"""What a dead process left: queries that still hold money are voided, answers that nobody may read erased."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from marketplace.db.base import first_id_at, utcnow
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.errors import Unavailable
from marketplace.queries.held import read_held
from marketplace.queries.keeping import Answers
from marketplace.queries.runner import SPACE
from marketplace.queries.services import Services, task_name
from marketplace.queries.settle import void

logger = logging.getLogger(__name__)

ALIVE = """
select from pg_locks l where l.locktype = 'advisory' and l.classid = :space and l.objid = {runner} and l.granted
    and l.database = (select oid from pg_database where datname = current_database())
"""
LEFT = text(f"""
select q.id from query q where q.state in ('queued', 'running')
and not exists ({ALIVE.format(runner="q.runner")}) order by q.id limit 1000
""")
FORGOTTEN_AFTER_S = 60
"""A query of this process that no task has brought to its end by now is nobody's."""
MINE = text("""
select id from query where runner = :runner and state in ('queued', 'running')
and created_at < now() - make_interval(secs => :after_s) order by id
""")
EXPIRED = text("delete from query_result where expires_at <= now()")
QUOTES_KEPT = timedelta(days=1)
"""After which nobody is told any more that a quote has expired: they cost nothing, so they must not stay."""
OLD_QUOTES = text("delete from quote where id < :before and expires_at <= now()")
UNASKED = text("""
delete from private_answer p using query q, query_line l, agreement a, dataset d
where q.id = p.query_id and l.query_id = p.query_id and l.agreement_id = p.agreement_id
and a.id = p.agreement_id and d.id = l.dataset_id
and (a.ended_at is not null or a.expires_at <= now() or l.version_id is distinct from d.current_version_id
     or (select count(*) from excluded_cohort x where x.version_id = l.version_id
         and (x.purpose is null or x.purpose = q.purpose)) <> l.excluded_seen)
""")
"""dp mode: answers that no question finds any more, for it would be of another version or revision."""
ORPHANS = text("""
select f.id from unnest(cast(:ids as uuid[])) as f(id)
where not exists (select from query_result r where r.query_id = f.id)
and not exists (select from query q where q.id = f.id and q.state in ('queued', 'running'))
""")
DEAD = text(f"""
select f.runner from unnest(cast(:runners as bigint[])) as f(runner)
where not exists ({ALIVE.format(runner="f.runner")})
""")


async def sweep(database: Database, answers: Answers) -> int:
    """Void every query whose process is dead; erase answers and quotes past their time. How many were voided."""
    async with database.session() as session:
        left = (await session.execute(LEFT, {"space": SPACE})).all()
        await session.execute(EXPIRED)
        # By their ids, which begin with the time: no index but theirs is needed.
        await session.execute(OLD_QUOTES, {"before": first_id_at(utcnow() - QUOTES_KEPT)})
        await session.execute(UNASKED)
    voided = await _void_each(database, answers.keys, [each.id for each in left])
    await remove_orphans(database, answers)
    return voided


async def void_forgotten(services: Services, *, after_s: float = FORGOTTEN_AFTER_S) -> int:
    """Void the queries of this live process that none of its tasks knows, `after_s` seconds on. How many.

    The sweep leaves them to us: whoever else looks takes them for running.
    """
    known = {task.get_name() for task in services.running}
    mine = await services.database.all(MINE, {"runner": services.runner.number, "after_s": after_s})
    return await _void_each(services.database, services.keys, [q.id for q in mine if task_name(q.id) not in known])


async def _void_each(database: Database, keys: Keys, query_ids: Sequence[UUID]) -> int:
    """How many there still were."""
    voided = 0
    for query_id in query_ids:
        try:
            if (held := await read_held(database, query_id)) is not None:
                await void(database, keys, held, code="query.interrupted")
                logger.warning("query %s was left by its process: voided", query_id)
                voided += 1
        except Exception:  # one that cannot be voided keeps no other from it
            logger.exception("query %s was left by its process, and cannot be voided", query_id)
    return voided


async def remove_orphans(database: Database, answers: Answers) -> int:
    """Remove the files of answers whose key is gone, and drafts of dead processes. How many.

    The folder is read before the database: a file that lies there then belongs to a query that has not ended, or
    to a row that is committed by now, or to nobody. No clock is asked.
    """
    finished, drafts = await asyncio.to_thread(answers.files)
    if not finished and not drafts:
        return 0
    async with database.reading() as session:
        orphans = (await session.execute(ORPHANS, {"ids": list(finished)})).scalars().all()
        dead = (await session.execute(DEAD, {"runners": list(drafts.values()), "space": SPACE})).scalars().all()
    gone = [finished[each] for each in orphans] + [path for path, runner in drafts.items() if runner in dead]
    for path in gone:
        await asyncio.to_thread(path.unlink, missing_ok=True)
    return len(gone)


async def run_sweeps(database: Database, answers: Answers, interval_s: float, stop: asyncio.Event) -> None:
    """Sweep now and every `interval_s` seconds until `stop`; waits out a database or a disk that is away."""
    while not stop.is_set():
        try:
            await sweep(database, answers)
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("the sweep waits: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)


async def run_forgotten(services: Services, interval_s: float, stop: asyncio.Event) -> None:
    """`void_forgotten` every `interval_s` seconds until `stop`; waits out a database that is away."""
    while not stop.is_set():
        try:
            await void_forgotten(services)
        except (Unavailable, DBAPIError, OSError) as away:
            logger.warning("queries that nobody runs wait: %s", type(away).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), interval_s)
