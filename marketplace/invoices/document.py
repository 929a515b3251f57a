"""A numbered document as a value: what is hashed, signed, shown and sent is made of this and nothing else."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from msgspec import Struct

from marketplace.audit.canonical import exact, plain


class Party(Struct, frozen=True, kw_only=True):
    """A side as it was called on the day of issue."""

    name: str
    tax_code: str | None


class Line(Struct, frozen=True, kw_only=True):
    """What one dataset cost at one rate; net = gross - VAT, and VAT is rounded here once, half up.

    `code`: query, or that of a charge. `items_sha256`: of `<id> <gross>` of each use, a line each, by id.
    """

    position: int
    code: str
    dataset_id: UUID
    dataset_slug: str
    dataset_title: str
    vat_permille: int
    queries: int
    bytes: int
    gross_vnd: int
    vat_vnd: int
    items_sha256: str

    @property
    def net_vnd(self) -> int:
        return self.gross_vnd - self.vat_vnd


class Correction(Struct, frozen=True, kw_only=True):
    """The numbered invoice that a credit note is on, or that another number replaces."""

    invoice_id: UUID
    series: str
    number: int
    issued_at: datetime


class Document(Struct, frozen=True, kw_only=True):
    """An invoice or a credit note; totals are the sums of the lines."""

    id: UUID
    kind: str
    series: str
    year: int
    number: int
    organisation_id: UUID
    period: str
    issued_at: datetime
    seller: Party
    buyer: Party
    lines: tuple[Line, ...]
    corrects: Correction | None = None
    reason: str | None = None
    replaces: Correction | None = None
    """The number in whose place this one stands."""
    edition: int = 1

    @property
    def name(self) -> str:
        """As people write it: series and number of eight digits."""
        return f"{self.series}-{self.number:08d}"

    @property
    def gross_vnd(self) -> int:
        return sum(line.gross_vnd for line in self.lines)

    @property
    def vat_vnd(self) -> int:
        return sum(line.vat_vnd for line in self.lines)

    @property
    def net_vnd(self) -> int:
        return self.gross_vnd - self.vat_vnd


def sha256_of(document: Document) -> str:
    """Of its canonical JSON (docs/verify.md), in hexadecimal digits; a first edition does not say it is one."""
    told = plain(document)
    if document.edition == 1:
        del told["edition"], told["replaces"]
    return hashlib.sha256(exact(told)).hexdigest()
