"""Other catalogues on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

Kind = Literal["ckan", "dcat", "data_json"]


class NewSourceBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`url`: of CKAN its root, else of the document. It is looked at now, and every so many hours."""

    url: Annotated[str, Meta(min_length=10, max_length=2_000)]
    kind: Kind
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    every_hours: Annotated[int, Meta(ge=1, le=24 * 365)] = 24


class SourceView(Struct, frozen=True, kw_only=True):
    """`due_at` None: it was stopped."""

    id: UUID
    url: str
    kind: Kind
    name: str
    every_hours: int
    added_at: datetime
    due_at: datetime | None
    listings: int
    vanished: int


class SourceList(Struct, frozen=True, kw_only=True):
    items: tuple[SourceView, ...]


class RunView(Struct, frozen=True, kw_only=True):
    """The report of one look. `refusals`: the first hundred, each {id, code}."""

    id: UUID
    source_id: UUID
    began_at: datetime
    ended_at: datetime | None
    state: Literal["running", "done", "failed", "interrupted"]
    code: str | None
    requests: int
    new: int
    changed: int
    unchanged: int
    returned: int
    vanished: int
    refused: int
    refusals: list[Any]


class RunList(Struct, frozen=True, kw_only=True):
    """Newest first."""

    items: tuple[RunView, ...]


class ExternalView(Struct, frozen=True, kw_only=True):
    """A listing of another catalogue: it is not sold here, and its data is not here. `external` is always true."""

    id: UUID
    external: bool
    source_name: str
    title: str
    description: str
    url: str | None
    publisher: str
    licence: str
    themes: tuple[str, ...]
    formats: tuple[str, ...]
    spatial: str
    temporal: str
    modified: str
    first_seen_at: datetime
    changed_at: datetime


class ExternalList(Struct, frozen=True, kw_only=True):
    items: tuple[ExternalView, ...]
    next: str | None
