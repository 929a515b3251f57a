"""The receipt of one decision: what was decided, used and paid, and the log's proof of it. Whole in itself.

All editions show the same event; they differ in which facts they open (`EDITIONS`).
"""

from __future__ import annotations

import base64
from typing import Any, Literal

import msgspec

from marketplace.audit.canonical import canonical, exact, plain
from marketplace.audit.facttree import SQL, Opened
from marketplace.verifier.bundle import HEADER
from policies.facts import SCALARS

PLAIN = "text/plain"
Edition = Literal["startup", "owner", "regulator"]
EDITIONS: dict[str, dict[Edition, frozenset[str]]] = {
    "access": {
        "startup": frozenset({
            SCALARS, SQL, "caller", "agreement", "wallet", "budget", "request.purpose", "request.columns",
            "request.price_vnd", "request.max_vnd", "request.rows_cap", "request.rows_released",
        }),
        "owner": frozenset({SCALARS, "agreement", "dataset", "request.purpose", "request.columns"}),
    },
    "agreement": {
        "startup": frozenset({
            SCALARS, "applicant", "application.id", "application.purpose", "application.people",
            "application.active_people", "application.duration_days", "application.expires_at_ms",
            "application.promises",
        }),
        "owner": frozenset({
            SCALARS, "owner", "dataset", "application.id", "application.purpose", "application.purpose_judged",
            "application.people", "application.duration_days", "application.expires_at_ms",
            "application.promises", "application.limits",
        }),
    },
    "listing": {"owner": frozenset({SCALARS, "caller", "manifest", "version", "previous"})},
}  # fmt: skip
"""Which facts each party's edition opens, by name or by whole section; the regulator's opens all."""


def opens(document: str, edition: Edition, name: str) -> bool:
    """Whether this party's edition of a receipt of that document opens the fact of that name."""
    if edition == "regulator":
        return True
    opened = EDITIONS.get(document, {}).get(edition, frozenset())
    return name in opened or name.partition(".")[0] in opened


class LogProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the event stands in the log. `leaf`: the leaf's data; `inclusion`: hex hashes, leaf upwards;
    `checkpoint`: a C2SP signed note over the tree that they lead to."""

    index: int
    leaf: str
    inclusion: tuple[str, ...]
    checkpoint: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`event` is what the log committed to, under `salt` (hex); the fields above it repeat it legibly."""

    version: Literal[4]
    decision_id: str | None
    """A query's is its own id."""
    query_id: str | None
    outcome: str | None
    decision: dict[str, Any] | None
    usage: dict[str, Any] | None
    price_vnd: int | None
    columns: tuple[str, ...]
    purpose: str | None
    version_id: str | None
    revision: int | None
    result_sha256: str | None
    event: dict[str, Any]
    salt: str
    facts: Opened | None
    """Of the tree whose root is in the event's body; None where the event holds none."""
    settled: Opened | None
    """The same of what the query cost (`settlement.py`)."""
    log: LogProof


def encode(receipt: Receipt) -> bytes:
    """The receipt as the file that `sandulieu audit verify` reads."""
    return canonical(receipt)


def encode_bundle(receipt: Receipt) -> bytes:
    """The receipt as a C2SP tlog-proof, which other people's tools read too."""
    document = plain(receipt)
    log = document.pop("log")
    extra = base64.b64encode(exact(document | {"leaf": log["leaf"]})).decode()
    hashes = [base64.b64encode(bytes.fromhex(each)).decode() for each in log["inclusion"]]
    lines = [f"extra {extra}", f"index {log['index']}", *hashes, "", log["checkpoint"]]
    return (HEADER + "\n".join(lines)).encode()


def served(receipt: Receipt, accepted: str | None) -> tuple[bytes, str]:
    """Its bytes and their media type: JSON, unless plain text is what `Accept` asks for: then a tlog-proof."""
    if accepted is not None and accepted.partition(";")[0].strip() == PLAIN:
        return encode_bundle(receipt), PLAIN
    return encode(receipt), "application/json"
