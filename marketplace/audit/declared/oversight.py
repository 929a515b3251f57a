"""What the regulator does with the log besides reading it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marketplace.audit.registry import Body, event


@event("log:export", "somebody began to export what a search finds, of a log of `size` leaves")
class ExportBegun(Body, frozen=True):
    filter: dict[str, Any]
    form: str
    size: int
    view: str


@event("log:exported", "the export that the event `begun` told of was made whole")
class ExportDone(Body, frozen=True):
    begun: UUID
    events: int
    manifest_sha256: str


@event("search:save", "a regulator's reader kept a search, for herself or for her organisation")
class SearchSaved(Body, frozen=True):
    search: UUID
    name: str
    shared: bool
    filter: dict[str, Any]


@event("search:remove", "a kept search was removed")
class SearchRemoved(Body, frozen=True):
    search: UUID
    name: str
