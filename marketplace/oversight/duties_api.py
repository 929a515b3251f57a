"""HTTP face of what follows from the log: alerts and incidents."""

from __future__ import annotations

from uuid import UUID

from litestar import get, post
from litestar.types import ControllerRouterHandler
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller, Reader
from marketplace.db.base import new_id
from marketplace.db.idempotency import claim
from marketplace.oversight.alerts import Acknowledgement, AlertPage, AlertView, acknowledge, alerts
from marketplace.oversight.incidents import (
    NewIncident,
    Step,
    open_incident,
    require_part,
    take_step,
)
from marketplace.oversight.report import IncidentView, Report, incident_views, report_for
from marketplace.parameters import IdempotencyKey


class IncidentList(Struct, frozen=True):
    items: tuple[IncidentView, ...]


@get("/api/v1/alerts", operation_id="listAlerts")
async def list_alerts(
    session: AsyncSession, caller: Caller, is_open: bool | None = None, cursor: str | None = None
) -> AlertPage:
    """What the rules found, newest first; `is_open`: those that nobody acknowledged, or only the others.
    The operator sees what is about the exchange itself."""
    return await alerts(session, by=caller, is_open=is_open, cursor=cursor)


@post("/api/v1/alerts/{alert_id:uuid}/acknowledge", status_code=200, operation_id="acknowledgeAlert")
async def post_acknowledgement(
    session: AsyncSession, reader: Reader, alert_id: UUID, data: Acknowledgement
) -> AlertView:
    """Say what came of an alert, once."""
    reader.require("audit")
    return await acknowledge(session, alert_id=alert_id, reason=data.reason, by=reader)


@get("/api/v1/incidents", operation_id="listIncidents")
async def list_incidents(session: AsyncSession, caller: Caller) -> IncidentList:
    """Breaches, newest first: the regulator's and operator's view is of all, an owner's of its datasets'."""
    return IncidentList(await incident_views(session, caller))


@post("/api/v1/incidents", operation_id="openIncident")
async def post_incident(
    session: AsyncSession, caller: Caller, data: NewIncident, idempotency_key: IdempotencyKey = None
) -> Report:
    """Open a breach; its deadline is counted from `known_at` by the law of that day."""
    require_part(caller)
    new = new_id()
    incident_id = await claim(session, caller.organisation_id, idempotency_key, data, new)
    if incident_id == new:
        await open_incident(session, incident_id=new, asked=data, by=caller)
    return await report_for(session, incident_id=incident_id, by=caller)


@get("/api/v1/incidents/{incident_id:uuid}", operation_id="readIncident")
async def read_incident(session: AsyncSession, caller: Caller, incident_id: UUID) -> Report:
    """The report as of now: timeline, datasets, persons in bands, uses in the time of the breach."""
    return await report_for(session, incident_id=incident_id, by=caller)


@post("/api/v1/incidents/{incident_id:uuid}/steps", operation_id="stepIncident")
async def post_step(session: AsyncSession, caller: Caller, incident_id: UUID, data: Step) -> Report:
    """Note something, report it, dismiss it; the regulator closes it."""
    await take_step(session, incident_id=incident_id, step=data, by=caller)
    return await report_for(session, incident_id=incident_id, by=caller)


handlers: list[ControllerRouterHandler] = [
    list_alerts, post_acknowledgement, list_incidents, post_incident, read_incident, post_step,
]  # fmt: skip
