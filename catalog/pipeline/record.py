"""What is known of a stage of a publication: for its page, for the command, for whoever resumes it."""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct, field

Stage = Literal["ingest", "detect", "anonymise", "bound", "measure", "quality", "classify", "describe"]
STAGES: Final[tuple[Stage, ...]] = (
    "ingest", "detect", "anonymise", "bound", "measure", "quality", "classify", "describe",
)  # fmt: skip
"""In this order; each begins from what the one before it left."""
State = Literal["waiting", "running", "passed", "stopped", "failed"]
Severity = Literal["stop", "warn", "note"]
Unit = Literal["", "rows", "persons", "cohorts", "columns", "parts", "bytes", "share", "score"]


class Figure(Struct, frozen=True, kw_only=True):
    """One number or word that a stage has to say; its words are `figure.<name>`."""

    name: str
    value: int | float | str
    unit: Unit = ""


class Finding(Struct, frozen=True, kw_only=True):
    """What a stage found: a code of the message files and its params, never a cell.

    `key` names what it is about, such as a column: a person who overrides it says so by code and key."""

    code: str
    severity: Severity
    key: str = ""
    params: dict[str, Any] = field(default_factory=dict)


class StageRecord(Struct, frozen=True, kw_only=True):
    """`resumed`: it was not run again, for what it left was still whole and made of the same."""

    stage: Stage
    state: State
    input_sha256: str = ""
    output_sha256: str = ""
    figures: tuple[Figure, ...] = ()
    findings: tuple[Finding, ...] = ()
    duration_ms: int = 0
    resumed: bool = False
