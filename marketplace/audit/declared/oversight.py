"""What the regulator does with the log besides reading it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marketplace.audit.registry import Body, event


@event("log:export", "somebody began to export what a search finds, of a log of `size` leaves", version=2)
class ExportBegun(Body, frozen=True):
    """`q_commitment`: to the words of the filter, if it has any."""

    filter: dict[str, Any]
    form: str
    size: int
    view: str
    q_commitment: str | None = None


@event("log:exported", "the export that the event `begun` told of was made whole")
class ExportDone(Body, frozen=True):
    begun: UUID
    events: int
    manifest_sha256: str


@event("search:save", "a regulator's reader kept a search, for herself or for her organisation", version=2)
class SearchKept(Body, frozen=True):
    """`q_commitment`: to the words of the filter, if it has any."""

    search: UUID
    name_commitment: str
    shared: bool
    filter: dict[str, Any]
    q_commitment: str | None = None


@event("search:remove", "a kept search was removed", version=2)
class SearchRemoved(Body, frozen=True):
    search: UUID
    name_commitment: str


@event("alert:raise", "a rule found something for the regulator; `about`: the organisation it is about")
class AlertRaised(Body, frozen=True):
    alert: UUID
    rule: str
    told: dict[str, Any]
    about: UUID | None


@event("alert:acknowledge", "a regulator's reader said what came of an alert")
class AlertAcknowledged(Body, frozen=True):
    alert: UUID
    rule: str
    reason: str


class IncidentTold(Body, frozen=True):
    """`report_by`: the deadline, ISO 8601."""

    incident: UUID
    state: str
    note: str
    report_by: str


@event("incident:open", "a breach of personal data became known; the law's clock runs")
class IncidentOpened(IncidentTold, frozen=True):
    pass


@event("incident:note", "something was learnt or done about a breach")
class IncidentNoted(IncidentTold, frozen=True):
    pass


@event("incident:report", "a breach was reported as the law asks")
class IncidentReported(IncidentTold, frozen=True):
    pass


@event("incident:dismiss", "what was taken for a breach was none")
class IncidentDismissed(IncidentTold, frozen=True):
    pass


@event("incident:close", "the regulator closed a reported breach")
class IncidentClosed(IncidentTold, frozen=True):
    pass


@event("log:archive", "a month of the log was written into an archive, or its salts anew after some were erased")
class LogArchived(Body, frozen=True):
    month: str
    first: int
    size: int
    salts: int
    manifest_sha256: str
