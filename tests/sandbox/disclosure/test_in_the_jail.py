"""Whatever may be asked over cohorts, asked through a real jail, answers what DuckDB says of the persons."""

from __future__ import annotations

from sandbox.isolation.pool import Pool
from tests.attack.conftest import require_layers
from tests.sandbox.disclosure.spec import ACCEPTED
from tests.sandbox.plan.asking import World, same
from tests.sandbox.plan.test_run import asked


async def test_a_jail_answers_over_cohorts_what_persons_would(persons: World) -> None:
    require_layers()
    pool = Pool(jails=1, threads=1, memory_bytes=512 * 1024 * 1024, queue=2)
    await pool.start()
    try:
        wrong = [sql for sql in ACCEPTED[::4] if not same(await asked(persons, pool, sql), persons.plain(sql))]
    finally:
        await pool.close()
    assert wrong == []
