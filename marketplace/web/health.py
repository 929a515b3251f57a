"""Alive, ready, and figures for Prometheus."""

from __future__ import annotations

from litestar import Response, get
from litestar.datastructures import State
from msgspec import Struct
from sqlalchemy import text

from marketplace.audit.note import verifier_key
from marketplace.errors import Unavailable
from marketplace.queries.services import Services
from marketplace.web.arriving import Arriving
from marketplace.web.connections import ENDED as WHY_ENDED
from marketplace.web.connections import Connections
from policies.clock import Clock, ClockWentBack

REFUSED = "sandulieu_free_refused_total"
ENDED = "sandulieu_connections_ended_total"
HELD = "sandulieu_bodies_held_bytes"
MEBIBYTE = 1024 * 1024
"""Its step: how long a body of somebody else's is is nobody's business."""
COUNTS = text("""
select (select count(*) from query where state in ('queued', 'running')) as running,
       (select coalesce(max(size), 0) from published) as log_size,
       (select count(*) from pending_leaf)
         + (select coalesce(max(size), 0) from checkpoint) - (select coalesce(max(size), 0) from published)
         as log_waiting,
       (select count(*) from dataset) as datasets
""")


class Ready(Struct, frozen=True, kw_only=True):
    """Which parts can do their work now."""

    ready: bool
    database: bool
    policy_engine: bool
    policy_revision: str
    policy_fault: str | None
    """The code of the denial that every question gets now."""
    policy_age_s: int | None
    """Since the server's bundle was signed; null in process."""
    sandbox: bool
    clock: bool
    """Not set back: behind neither what this process nor what the log has seen."""
    log: bool
    """The database holds what was published of the log, as far as that can be looked at; one restored from an
    older backup does not."""
    log_store: bool
    """Where the log is published answers. While it does not, queries go on and are logged in the database; leaves
    and checkpoints wait: no reason to send anybody elsewhere."""


@get(["/healthz", "/api/v1/healthz"], media_type="text/plain", opt={"points": 0})
async def healthz() -> str:
    """The process answers."""
    return "ok"


@get(["/readyz", "/api/v1/readyz"], opt={"points": 0})
async def readyz(services: Services) -> Response[Ready]:
    """200 when a query could be run now, else 503 with the part that is missing."""
    database = await _answers(services)
    policy = await services.engine.health()
    clock = _right(services.clock)
    sandbox = services.pool.health().jails_alive > 0
    key = verifier_key(services.config.log_origin, services.keys.log_signing())
    holds = await services.log_look.holds(services.database, services.config, key) if database else None
    log = database and holds is not False
    ready = Ready(
        ready=database and policy.healthy and sandbox and clock and log,
        database=database,
        policy_engine=policy.healthy,
        policy_revision=policy.revision,
        policy_fault=policy.code,
        policy_age_s=policy.age_s,
        sandbox=sandbox,
        clock=clock,
        log=log,
        log_store=holds is not None,
    )
    return Response(ready, status_code=200 if ready.ready else 503)


def _right(clock: Clock) -> bool:
    try:
        return clock.now_ms() > 0
    except ClockWentBack:
        return False


async def _answers(services: Services) -> bool:
    try:
        return await services.database.one(text("select 1"), {}) is not None
    except Unavailable:
        return False


@get(["/metrics", "/api/v1/metrics"], media_type="text/plain; version=0.0.4")
async def metrics(services: Services, state: State) -> str:
    """Totals only: nothing about a tenant."""
    async with services.database.session() as session:
        counts = (await session.execute(COUNTS)).one()
    health = services.pool.health()
    figures = {
        "sandulieu_queries_running": counts.running,
        "sandulieu_log_size_leaves": counts.log_size,
        "sandulieu_log_waiting_leaves": counts.log_waiting,
        "sandulieu_datasets": counts.datasets,
        "sandulieu_jails_alive": health.jails_alive,
    }
    gauges = "".join(f"# TYPE {name} gauge\n{name} {value}\n" for name, value in figures.items())
    refused = services.allowance.refused_ever
    return (
        f"{gauges}# TYPE {REFUSED} counter\n"
        + "".join(f'{REFUSED}{{payer="{payer}"}} {refused[payer]}\n' for payer in ("tenant", "address"))
        + _bodies(state.get("arriving"))
        + _connections(state.get("connections"))
    )


def _bodies(found: Arriving | None) -> str:
    """Of a whole service, as below."""
    if found is None:
        return ""
    return f"# TYPE {HELD} gauge\n{HELD} {found.held.total() // MEBIBYTE * MEBIBYTE}\n"


def _connections(found: Connections | None) -> str:
    """Of a whole service; its handlers alone have none."""
    if found is None:
        return ""
    ended = "".join(f'{ENDED}{{why="{why}"}} {found.ended[why]}\n' for why in WHY_ENDED)
    name = "sandulieu_connections"
    return f"# TYPE {name} gauge\n{name} {len(found.open)}\n# TYPE {ENDED} counter\n{ended}"


handlers = [healthz, readyz, metrics]
