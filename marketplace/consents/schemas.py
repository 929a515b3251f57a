"""What goes in and out over the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, Struct

from marketplace.texts import Language as Tongue
from marketplace.texts import Message

Said = Literal["given", "withdrawn", "revoked"]
"""withdrawn: by the person; revoked: by the owner. What runs out is written by the clock alone."""
Method = Literal["web", "app", "paper", "voice", "in_person", "message", "other"]
Instant = Annotated[datetime, Meta(tz=True)]
Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Language = Annotated[str, Meta(pattern="^[a-z]{2,3}(-[A-Z]{2})?$")]
Label = Annotated[str, Meta(min_length=1, max_length=100)]
Reference = Annotated[str, Meta(min_length=1, max_length=500)]
Jurisdiction = Annotated[str, Meta(pattern="^[A-Z]{2}(-[A-Z0-9]{1,3})?$")]


class Circumstances(Struct, frozen=True, kw_only=True):
    """How somebody came to say it, and for how long (ISO/IEC 27560)."""

    expires_at: Instant | None = None
    """Of `given`: the first instant at which it no longer holds."""
    notice_sha256: Hash | None = None
    """Of the notice as it was shown."""
    notice_language: Language | None = None
    notice_version: Label | None = None
    evidence: Reference | None = None
    """Where the proof is kept; never the proof itself."""
    method: Method | None = None
    jurisdiction: Jurisdiction | None = None
    """ISO 3166 code: VN, VN-HN."""


class ConsentBody(Circumstances, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`subject` is the value of the dataset's subject key column: an owner names the person, a person who
    signed in leaves it out. `at`: when the person said it."""

    dataset_id: UUID
    subject: str | None = None
    purpose: str
    event: Said
    at: Instant


class ConsentReceipt(Struct, frozen=True, kw_only=True):
    """That it was recorded; the same whoever the person is. Instants in milliseconds."""

    id: UUID
    dataset_id: UUID
    purpose: str
    event: Said
    at: int
    expires_at: int | None
    notice_sha256: str | None
    recorded_at: int


class Fault(Struct, frozen=True, kw_only=True):
    """A line that was not taken (from 1; of Arrow and Parquet the row), and why; never what stands in it."""

    line: int
    code: str
    params: dict[str, Any]
    messages: dict[Tongue, Message]


class Imported(Struct, frozen=True, kw_only=True):
    """What became of a file. `already`: events whose id was here before with the same content."""

    dataset_id: UUID
    given: int
    withdrawn: int
    revoked: int
    already: int
    fault_count: int
    faults: tuple[Fault, ...]
    """The first of the lines that were not taken."""
