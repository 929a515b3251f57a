"""The receipt of one query: what was decided, used and paid, and the log's proof of it. Whole in itself.

All editions show the same event; they differ in which secrets they open (`EDITIONS`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from marketplace.audit.canonical import canonical

Edition = Literal["startup", "owner", "regulator"]
EDITIONS: dict[Edition, tuple[str, ...]] = {
    "startup": ("facts", "sql"),
    "owner": (),
    "regulator": ("facts", "sql"),
}
"""Which secrets each party's edition opens; the rest stay commitments."""


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A secret's text and its salt (hex): together they give the commitment in the event."""

    salt: str
    text: str


class LogProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the event stands in the log. `leaf`: the leaf's data; `inclusion`: hex hashes, leaf upwards;
    `checkpoint`: a C2SP signed note over the tree that they lead to."""

    index: int
    leaf: str
    inclusion: tuple[str, ...]
    checkpoint: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`event` is what the log committed to, under `salt` (hex); the fields above it repeat it legibly."""

    version: Literal[1]
    query_id: str
    outcome: str | None
    decision: dict[str, Any] | None
    usage: dict[str, Any] | None
    price_vnd: int | None
    columns: tuple[str, ...]
    purpose: str | None
    version_id: str | None
    revision: int | None
    sql_commitment: str | None
    facts_commitment: str | None
    result_sha256: str | None
    event: dict[str, Any]
    salt: str
    opened: dict[str, Opening]
    log: LogProof


FROM_EVENT = ("query_id", "price_vnd", "purpose", "version_id", "revision")
FROM_BODY = ("outcome", "decision", "usage", "columns", "sql_commitment", "facts_commitment", "result_sha256")


def repeated(event: dict[str, Any]) -> dict[str, Any]:
    """The fields of a receipt that repeat its event, taken from the event."""
    body = event["body"]
    fields = {name: event[name] for name in FROM_EVENT} | {name: body.get(name) for name in FROM_BODY}
    fields["columns"] = tuple(fields["columns"] or ())
    return fields


def encode(receipt: Receipt) -> bytes:
    """The receipt as the file that `sandulieu audit verify` reads."""
    return canonical(receipt)
