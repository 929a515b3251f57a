"""The stage that holds what a scan found against the manifest; a person's answer alone lets it pass."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import msgspec

from catalog.pii.gate import Finding as Contradiction
from catalog.pii.gate import findings, require_answered, stopped, told
from catalog.pii.order import Detected
from catalog.pipeline.line import Line
from catalog.pipeline.record import Figure, Finding
from catalog.pipeline.said import Said


def run_detect(line: Line, room: Path) -> Said:
    """The scan itself ran in the jail that read the file, so that the file is read once."""
    del room
    detected = line.intake.reply.detected or Detected()
    left = set(map(_key, stopped(line.manifest, detected, line.order.overrides)))
    found = findings(line.manifest, detected)
    return Said(
        output=hashlib.sha256(msgspec.json.encode([_key(each) for each in found])).hexdigest(),
        figures=(
            Figure(name="rows_scanned", value=detected.sampled_rows, unit="rows"),
            Figure(name="columns_scanned", value=len(detected.columns), unit="columns"),
            Figure(name="personal_found", value=len(found), unit="columns"),
        ),
        findings=tuple(
            Finding(
                code=each.code,
                key=_key(each),
                severity="stop" if _key(each) in left else "warn",
                params=_params(each),
            )
            for each in found
        ),
    )


def refuse(line: Line) -> None:
    """Raises PublicationRefused that names every finding without an answer, for whoever publishes directly."""
    require_answered(line.manifest, line.intake.reply.detected, line.order.overrides)


def _key(found: Contradiction) -> str:
    return f"{'+'.join(found.columns)}:{found.finding}"


def _params(found: Contradiction) -> dict[str, Any]:
    return {
        "columns": list(found.columns), "finding": found.finding, "told": told(found), "declared": found.declared,
        "confidence": found.confidence, "share": found.share,
    }  # fmt: skip
