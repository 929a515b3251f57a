"""What an owner may say of a file: roles and types of its columns, and how to read what it does not say itself."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

ManifestRole = Literal["identifier", "quasi-identifier", "sensitive", "measure", "drop"]
TextType = Literal["text", "integer", "number", "boolean", "date", "timestamp"]
Decimal = Literal["point", "comma"]
STORED_TYPE: Final[dict[TextType, str]] = {
    "text": "VARCHAR", "integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP",
}  # fmt: skip


class Reading(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of a manifest: `reading`. What is not declared is found in the file, or refused where it cannot be found."""

    encoding: Literal["utf-8", "utf-16", "windows-1258", "windows-1252", "tcvn3", "vni"] | None = None
    decimal: Decimal | None = None
    """What stands before the decimals; the other one may then group thousands."""
    century_from: Annotated[int, Meta(ge=1900, le=2000)] | None = None
    """The first of the hundred years that a year of two digits can mean; None: such dates are rejected."""
    sheet: Annotated[str, Meta(min_length=1)] | None = None
    """Of a workbook with several sheets that hold something."""
    max_rejected_share: Annotated[float, Meta(ge=0, le=0.5)] = 0
    """Of the rows: those that cannot be read may be left out, each with its reason. 0: one refuses the file."""
