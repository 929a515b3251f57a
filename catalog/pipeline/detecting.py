"""The stage that holds what a scan found against the manifest; a person's answer alone lets it pass."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

import msgspec

from catalog.manifest import Manifest
from catalog.pii.gate import Finding as Contradiction
from catalog.pii.gate import findings, in_both, require_answered, stopped
from catalog.pii.order import Detected, DetectedPair
from catalog.pipeline.line import Line
from catalog.pipeline.record import Figure, Finding, Stage
from catalog.pipeline.said import Said
from catalog.recheck.broken import require
from catalog.wire import AnonymiseReply


def run_detect(line: Line, room: Path) -> Said:
    """The scan itself ran in the jail that read the file, so that the file is read once."""
    del room
    detected = msgspec.structs.replace(line.intake.reply.detected or Detected(), pairs=())
    left = set(map(_key, stopped(line.manifest, detected, line.order.overrides)))
    found = findings(line.manifest, detected)
    return Said(
        output=hashlib.sha256(msgspec.json.encode([_key(each) for each in found])).hexdigest(),
        figures=(
            Figure(name="rows_scanned", value=detected.sampled_rows, unit="rows"),
            Figure(name="columns_scanned", value=len(detected.columns), unit="columns"),
            Figure(name="personal_found", value=len(found), unit="columns"),
        ),
        findings=tuple(_told(each, left) for each in found),
    )


def of_pairs(line: Line, detected: Detected) -> tuple[Finding, ...]:
    """Pairs of columns that single persons out in the files that were made."""
    left = set(map(_key, stopped(line.manifest, detected, line.order.overrides)))
    found = findings(line.manifest, detected)
    return tuple(_told(each, left) for each in found if each.code == "pii.pair_singles_out")


def with_pairs(manifest: Manifest, detected: Detected, reply: AnonymiseReply) -> Detected:
    """What the scan found of columns, and of pairs what the files show: not what is in rows of an owner's file, of
    which one person may have several and some are not shown at all.

    Raises PublicationRefused for a column that the jail made up."""
    names = {c.sql_name: c.name for c in manifest.columns}
    require({name for p in reply.pairs for name in (p.first, p.second)} <= names.keys(), "pairs")
    pairs = tuple(
        DetectedPair(first=names[p.first], second=names[p.second], singles=p.singles, persons=p.persons)
        for p in reply.pairs
    )
    return msgspec.structs.replace(detected, pairs=pairs)


def refuse(line: Line, stage: Stage) -> None:
    """Raises PublicationRefused that names every finding without an answer, for whoever publishes directly."""
    detected = line.intake.reply.detected
    if detected is not None:
        reply = AnonymiseReply() if stage == "detect" else line.made.reply
        detected = with_pairs(line.manifest, detected, reply)
    require_answered(line.manifest, detected, line.order.overrides)


def _told(each: Contradiction, left: set[str]) -> Finding:
    severity: Literal["stop", "warn"] = "stop" if _key(each) in left else "warn"
    return Finding(code=each.code, key=_key(each), severity=severity, params=_params(each))


def _key(found: Contradiction) -> str:
    return f"{'+'.join(found.columns)}:{found.finding}"


def _params(found: Contradiction) -> dict[str, Any]:
    return {
        "columns": list(found.columns), "finding": found.finding, "told": in_both(found),
        "declared": found.declared, "confidence": found.confidence, "share": found.share,
    }  # fmt: skip
