"""Other catalogues, whose listings are shown as external."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.registry import Body, event


@event("harvest:add", "the operator added another catalogue to be harvested")
@event("harvest:stop", "the operator stopped harvesting one; what it listed is shown no more")
class SourceNamed(Body, frozen=True):
    source: UUID
    url: str
    kind: str


@event("harvest:run", "a catalogue was looked at; `state`: done, or failed with a code")
class SourceRead(Body, frozen=True):
    source: UUID
    run: UUID
    state: str
    code: str | None
    new: int
    changed: int
    unchanged: int
    returned: int
    vanished: int
    refused: int
