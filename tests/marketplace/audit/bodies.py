"""Bodies of events as tests record them, and events that only tests record."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from marketplace.audit.registry import Body, event

USAGE = {
    "wall_us": 9, "cpu_us": 7, "peak_memory_bytes": 5, "result_bytes": 3, "engine_us": 1, "rows": 9, "bytes": 8,
}  # fmt: skip


@event("test:event", "a test wrote it; of no dataset's chain")
@event("test:use", "a test wrote it; of its dataset's chain", counted=True)
class Tested(Body, frozen=True):
    n: int | None = None
    half: str | None = None
    text: str | None = None
    said_commitment: str | None = None


def settled(**more: Any) -> dict[str, Any]:
    """The body of a query:settle, whole, with `more` said otherwise."""
    return {
        "decision_id": uuid4(), "decision": {}, "facts": {"root": "00" * 32, "size": 0}, "usage": USAGE,
        "columns": [], "outcome": "ready", "failure": None, "result_sha256": "cd" * 32,
    } | more  # fmt: skip
