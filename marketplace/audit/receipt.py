"""The receipt of one query: what was decided, used and paid, and the log's proof of it. Whole in itself.

All editions show the same event; they differ in which secrets they open (`EDITIONS`).
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from marketplace.audit.canonical import canonical
from policies.facts import SCALARS

Edition = Literal["startup", "owner", "regulator"]
SQL = "sql"
EDITIONS: dict[Edition, frozenset[str] | None] = {
    "startup": frozenset({SQL, SCALARS, "caller", "agreement", "request", "wallet"}),
    "owner": frozenset({SCALARS, "dataset"}),
    "regulator": None,
}
"""Which secrets each party's edition opens (None: all of them); the rest stay commitments."""


def opens(edition: Edition, name: str) -> bool:
    """Whether this party's edition opens the secret of that name."""
    opened = EDITIONS[edition]
    return opened is None or name in opened


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

    version: Literal[2]
    query_id: str
    outcome: str | None
    decision: dict[str, Any] | None
    usage: dict[str, Any] | None
    price_vnd: int | None
    columns: tuple[str, ...]
    purpose: str | None
    version_id: str | None
    revision: int | None
    commitments: dict[str, str]
    """Name of a secret → its commitment (hex): `<name>_commitment` of the event's body."""
    result_sha256: str | None
    event: dict[str, Any]
    salt: str
    opened: dict[str, Opening]
    log: LogProof


FROM_EVENT = ("query_id", "price_vnd", "purpose", "version_id", "revision")
FROM_BODY = ("outcome", "decision", "usage", "columns", "result_sha256")
COMMITMENT = "_commitment"


def repeated(event: dict[str, Any]) -> dict[str, Any]:
    """The fields of a receipt that repeat its event, taken from the event."""
    body = event["body"]
    fields = {name: event[name] for name in FROM_EVENT} | {name: body.get(name) for name in FROM_BODY}
    fields["columns"] = tuple(fields["columns"] or ())
    fields["commitments"] = {
        name.removesuffix(COMMITMENT): value for name, value in body.items() if name.endswith(COMMITMENT)
    }
    return fields


def encode(receipt: Receipt) -> bytes:
    """The receipt as the file that `sandulieu audit verify` reads."""
    return canonical(receipt)
