"""The stages that make nothing and say much: classes with the rules that gave them, how well it is described."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path
from typing import Final

import msgspec

from catalog.classify.classes import Classified, RuleHit, classify
from catalog.describe.completeness import Described, completeness
from catalog.pipeline.kept import keep_quality
from catalog.pipeline.line import Line
from catalog.pipeline.record import Figure, Finding
from catalog.pipeline.said import Said
from catalog.quality.gate import require_quality

_RULES: Final = {
    "disclosed": "classify.disclosed", "counted": "classify.counted", "personal": "classify.personal",
}  # fmt: skip
_ITEMS: Final = {
    "title": "describe.title", "summary": "describe.summary", "meanings": "describe.meanings",
    "terms": "describe.terms", "provenance": "describe.provenance", "contact": "describe.contact",
    "cover": "describe.cover", "places": "describe.places",
}  # fmt: skip


def run_quality(line: Line, room: Path) -> Said:
    """The suite that came with the file, judged over what was read; a broken promise refuses it."""
    suite = line.order.suite
    if suite is None:
        return Said(
            output=hashlib.sha256(b"no suite").hexdigest(), figures=(Figure(name="expectations", value=0),)
        )
    line.quality = found = require_quality(line.manifest, suite, line.intake.persons, line.order.limits)
    if line.bench.lasting:
        keep_quality(room, found)
    scores = [
        Figure(name=f"quality_{s.axis}", value=s.permille / 1000, unit="score")
        for s in found.scores
        if s.permille is not None
    ]
    figures = (
        Figure(name="expectations", value=len(suite.expectations)),
        Figure(name="expectations_failed", value=sum(s.failed for s in found.scores)),
        Figure(name="expectations_unjudged", value=sum(s.errors for s in found.scores)),
        *scores,
    )
    return Said(output=hashlib.sha256(msgspec.json.encode(found)).hexdigest(), figures=figures)


def run_classify(line: Line, room: Path) -> Said:
    """State and personal axis, each with its rule. The policy decides on them, here it is told why."""
    del room
    found = classify(line.manifest, line.done.version, at_ms=time.time_ns() // 1_000_000)
    return Said(
        output=hashlib.sha256(msgspec.json.encode((found.state_class, found.personal_class))).hexdigest(),
        figures=(
            Figure(name="state_class", value=found.state_class),
            Figure(name="personal_class", value=found.personal_class),
            Figure(name="class_persons", value=found.persons, unit="persons"),
        ),
        findings=(*(_rule(hit, found) for hit in found.rules if hit.reached), *_against(found)),
    )


def run_describe(line: Line, room: Path) -> Said:
    """The score, and what would make it better."""
    del room
    found = completeness(line.manifest)
    return Said(
        output=hashlib.sha256(msgspec.json.encode(found)).hexdigest(),
        figures=(
            Figure(name="completeness", value=found.score, unit="score"),
            Figure(name="columns", value=len(found.dictionary), unit="columns"),
        ),
        findings=tuple(_missing(found)),
    )


def _rule(hit: RuleHit, found: Classified) -> Finding:
    params = {
        "gives": hit.gives, "since": hit.valid_from, "columns": ", ".join(hit.columns),
        "article": {"vi": hit.article, "en": hit.article_en or hit.article},
        "threshold": hit.threshold or 0, "persons": found.persons,
    }  # fmt: skip
    kind = "disclosed" if hit.kind == "disclosed" else "counted" if hit.threshold is not None else "personal"
    return Finding(code=_RULES[kind], severity="note", key=f"{hit.axis} {hit.kind} {hit.gives}", params=params)


def _against(found: Classified) -> list[Finding]:
    """What the policy will deny: the no-trade gate, and the ceiling of the mode."""
    told = []
    if found.secret_themes:
        themes = ", ".join(found.secret_themes)
        told.append(Finding(code="classify.no_trade", severity="warn", params={"themes": themes}))
    elif not found.may_be_traded:
        params = {"class": found.state_class, "highest": found.highest}
        told.append(Finding(code="classify.over_ceiling", severity="warn", params=params))
    return told


def _missing(found: Described) -> list[Finding]:
    suggested = [f"{each.name} → {each.suggested}" for each in found.dictionary if each.suggested]
    told = [
        Finding(
            code=_ITEMS[item.name], severity="note", key=item.name,
            params={"points": round(item.weight - item.got), "columns": ", ".join(item.missing)},
        )
        for item in found.items
        if item.got < item.weight
    ]  # fmt: skip
    if suggested:
        told.append(Finding(code="describe.suggested", severity="note", params={"terms": ", ".join(suggested)}))
    return told
