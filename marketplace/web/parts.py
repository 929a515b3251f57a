"""Opens the long-lived parts in order, and closes them in the opposite order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from functools import partial

from catalog.storage import Store
from marketplace.accounts.allowance import Allowance, Rate
from marketplace.accounts.seats import Seats
from marketplace.audit.log_store import published_log
from marketplace.audit.note import verifier_key
from marketplace.audit.reads import newest_event_ms
from marketplace.audit.sequencer import run_sequencer
from marketplace.audit.witnesses import run_witnessing
from marketplace.closing.jobs import run_closing
from marketplace.config import Config
from marketplace.consents.jobs import run_register
from marketplace.db import embedded
from marketplace.db.engine import Database, open_database
from marketplace.db.keys import Keys
from marketplace.db.schema import bring_up_to_date, require_up_to_date
from marketplace.einvoices.jobs import run_einvoices
from marketplace.finding.jobs import run_notices
from marketplace.harvest.jobs import run_harvests
from marketplace.inspection.jobs import run_audits
from marketplace.ledger.jobs import run_books
from marketplace.listings.jobs import run_catalogue
from marketplace.listings.press import Press
from marketplace.metering.jobs import run_agreeing
from marketplace.offers.jobs import run_charges
from marketplace.oversight.errors import TooManyExports
from marketplace.oversight.indexer import run_indexer
from marketplace.oversight.jobs import run_archive, run_oversight, run_refusals
from marketplace.own.errors import TooManyUploads
from marketplace.own.jobs import run_file_sweeps
from marketplace.payments.jobs import run_payments
from marketplace.payments.opening import open_payments
from marketplace.payments.readers import hear_outside
from marketplace.publications.jobs import run_publications
from marketplace.quality.jobs import run_quality
from marketplace.queries.cancelling import watch_cancelled
from marketplace.queries.errors import TooManyFetches, TooManyReaders
from marketplace.queries.jobs import run_forgotten, run_sweeps
from marketplace.queries.keeping import NOBODY, Answers
from marketplace.queries.policy_server import policy_server
from marketplace.queries.runner import Runner
from marketplace.queries.services import Services
from marketplace.queries.turns import Turns, room_of
from marketplace.queries.understanding import Understanding
from marketplace.spending.jobs import run_alerts
from marketplace.web.hangup import keep_policy, reload_on_hangup
from marketplace.web.jails import Jails
from policies.clock import Clock
from policies.engine import Engine, open_engine

logger = logging.getLogger(__name__)

SHUTDOWN_S = 5.0
"""How long a stop waits for queries that run; what is left then is voided by the next sweep."""
AGAIN_S = 5.0
"""Until a loop that failed begins again."""
Loop = Callable[[], Coroutine[None, None, None]]


@contextlib.asynccontextmanager
async def open_services(config: Config, jails: Jails, *, background: bool = True) -> AsyncIterator[Services]:
    """Database, store, engine, and (`background`) the sequencer and the sweeps; there when the jails are.

    Raises what a part raises when it cannot start: it says which part and what to do.
    """
    async with contextlib.AsyncExitStack() as stack:
        database, keys = await stack.enter_async_context(_open_home(config))
        await asyncio.to_thread(keep_policy, config)
        engine = await asyncio.to_thread(open_engine, policy_server(config))
        stack.push_async_callback(engine.close)
        stack.enter_context(reload_on_hangup(engine, config, database))
        await jails.opened
        runner = Runner(database)
        stack.push_async_callback(runner.release)
        await runner.hold()
        payments = await stack.enter_async_context(open_payments(config))
        store, answers = Store(config.path("store")), Answers(config.path("answers"), keys, runner.number)
        allowance = allowance_of(config)
        services = Services(
            config=config,
            database=database,
            store=store,
            engine=engine,
            clock=Clock(not_before_ms=await newest_event_ms(database), slack_ms=config.clock_back_max_ms),
            pool=jails.pool,
            keys=keys,
            answers=answers,
            turns=Turns(room_of(config), wait_max_s=config.sandbox_wait_max_s),
            runner=runner,
            readers=Seats(config.tenant_event_readers, TooManyReaders),
            fetches=Seats(config.tenant_fetches, TooManyFetches),
            table_uploads=Seats(config.tenant_table_uploads, TooManyUploads),
            exports=Seats(config.tenant_exports, TooManyExports),
            allowance=allowance,
            understanding=Understanding(allowance, at_once=config.questions_at_once),
            payments=payments,
        )
        stop = asyncio.Event()
        loops: list[Loop] = [
            partial(runner.keep, stop),
            partial(watch_cancelled, services, stop),
            partial(run_forgotten, services, config.sweep_interval_s, stop),
            partial(run_refusals, database, allowance, config.sweep_interval_s, stop),
            *(_background(database, store, answers, config, engine, stop) if background else ()),
        ]
        stack.push_async_callback(_end, stop, [asyncio.create_task(_going_on(loop, stop)) for loop in loops])
        stack.push_async_callback(_drain, services)
        jails.pool.fill()
        yield services


def allowance_of(config: Config) -> Allowance:
    """What may be had of this process without paying."""
    tenant = Rate(config.tenant_free_points_per_minute, config.tenant_free_points_at_once)
    address = Rate(config.address_free_points_per_minute, config.address_free_points_at_once)
    return Allowance(tenant, address, most=config.free_payers_max)


async def work(config: Config, stop: asyncio.Event) -> None:
    """Background work alone: no page, and no jails but those of publications."""
    async with contextlib.AsyncExitStack() as stack:
        database, keys = await stack.enter_async_context(_open_home(config))
        engine = await asyncio.to_thread(open_engine, policy_server(config))
        stack.push_async_callback(engine.close)
        store, answers = Store(config.path("store")), Answers(config.path("answers"), keys, NOBODY)
        loops = _background(database, store, answers, config, engine, stop)
        await asyncio.gather(*(_going_on(loop, stop) for loop in loops))


@contextlib.asynccontextmanager
async def _open_home(config: Config) -> AsyncIterator[tuple[Database, Keys]]:
    """What every process of a home stands on; the embedded database is migrated, one of your own is not."""
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    published_log(config)  # a wrong description of its store is told now, not by a log that stands still
    async with contextlib.AsyncExitStack() as stack:
        if config.database_url is None:
            stack.callback(embedded.stop, config.home)
            await asyncio.to_thread(bring_up_to_date, config)
        else:
            await asyncio.to_thread(require_up_to_date, config)
        database = open_database(config, connections=config.database_pool_connections)
        stack.push_async_callback(database.close)
        yield database, Keys(config.path("keys"))


def _background(
    database: Database, store: Store, answers: Answers, config: Config, engine: Engine, stop: asyncio.Event
) -> tuple[Loop, ...]:
    key = verifier_key(config.log_origin, answers.keys.log_signing())
    press = Press(config=config, database=database, store=store, keys=answers.keys, engine=engine)
    return (
        partial(run_sequencer, database, answers.keys, config, stop),
        partial(run_witnessing, database, key, config, stop),
        partial(run_audits, database, answers.keys, config, stop),
        partial(run_sweeps, database, answers, config.sweep_interval_s, stop),
        partial(run_books, database, config, partial(hear_outside, config), stop),
        partial(run_file_sweeps, database, config, stop),
        partial(run_register, database, store, config, stop),
        partial(run_publications, press, stop),
        partial(run_catalogue, database, config, stop),
        partial(run_notices, database, config, stop),
        partial(run_payments, database, config, stop),
        partial(run_alerts, database, config, stop),
        partial(run_charges, database, config, stop),
        partial(run_closing, database, config, partial(hear_outside, config, whole=True), stop),
        partial(run_quality, database, store, config, stop),
        partial(run_agreeing, database, config.sweep_interval_s, stop),
        partial(run_oversight, database, answers.keys, config, stop),
        partial(run_archive, database, config, stop),
        partial(run_indexer, database, config.search_interval_ms, stop),
        partial(run_harvests, database, config, stop),
        partial(run_einvoices, database, answers.keys, config, stop),
    )


async def _going_on(loop: Loop, stop: asyncio.Event) -> None:
    """A loop until `stop`. What it did not foresee is told, and it begins again: nobody would see its end."""
    while not stop.is_set():
        try:
            await loop()
        except Exception:
            logger.exception("a background loop failed, and begins again")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), AGAIN_S)


async def _end(stop: asyncio.Event, tasks: list[asyncio.Task[None]]) -> None:
    stop.set()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _drain(services: Services) -> None:
    """Queries that run are waited for, then dropped while no jail was killed yet: nobody pays for our going."""
    if services.running:
        await asyncio.wait(services.running, timeout=SHUTDOWN_S)
    left = tuple(services.running)
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)
