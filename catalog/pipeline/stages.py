"""The stages, each a step of its own: it reads what earlier ones left, makes its own, and says figures of it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from catalog.coding import coding_digest
from catalog.history import Waiting, follow
from catalog.intake import read_source
from catalog.invented import invented_rows
from catalog.making import anonymise, measure
from catalog.manifest import column_lines
from catalog.past import CARRIED
from catalog.persons import require_same_privacy, write_persons
from catalog.pii.detect import scan_order
from catalog.pii.order import Detected
from catalog.pipeline.detecting import of_pairs, run_detect, with_pairs
from catalog.pipeline.kept import KeptVersion, keep_intake, keep_made, keep_version
from catalog.pipeline.line import Line
from catalog.pipeline.record import Figure, Stage
from catalog.pipeline.said import Said
from catalog.pipeline.told import run_classify, run_describe, run_quality
from catalog.recheck.version import recheck
from catalog.releasing import left_out_of, prepare, version_of
from catalog.restoring import require_the_same
from catalog.risk.figures import SensitiveRisk, SizeBand
from catalog.version import LeftOut
from catalog.wire import IngestReply, MeasureReply


def run_ingest(line: Line, room: Path) -> Said:
    """The owner's file, read in a jail; subject keys hashed outside."""
    with line.order.source() as source:
        lines = column_lines(line.order.manifest_text)
        intake = read_source(
            line.manifest, lines, source, room, pseudonymise=line.order.pseudonymise, limits=line.order.limits,
            scan=scan_order(line.manifest),
        )  # fmt: skip
    line.intake = intake
    if line.bench.lasting:
        keep_intake(room, intake)
    names = b"" if intake.pseudonyms is None else intake.pseudonyms.tobytes()
    reply = intake.reply
    return Said(
        output=hashlib.sha256(intake.digest + names).hexdigest(),
        figures=(
            Figure(name="rows_read", value=intake.rows, unit="persons"),
            *([Figure(name="events_read", value=reply.events, unit="rows")] if reply.events else []),
            *([Figure(name="rejected", value=reply.rejected, unit="rows")] if reply.rejected else []),
            *([Figure(name="header_row", value=reply.header_row)] if reply.header_row > 1 else []),
            Figure(name="format", value=_format(reply)),
        ),
    )


def _format(reply: IngestReply) -> str:
    delimiter = "tab" if reply.delimiter == "\t" else reply.delimiter
    return " ".join(filter(None, (reply.format, reply.encoding, delimiter)))


def run_anonymise(line: Line, room: Path) -> Said:
    """Cohorts are formed and files made in another jail; in dp mode the files are the persons' own records."""
    mask = line.mask
    if line.manifest.mode == "dp":
        line.made = write_persons(line.manifest, line.intake, mask, room, line.order.limits)
    else:
        line.made = anonymise(line.manifest, line.intake, mask, room, line.order.limits, line.past())
    if line.bench.lasting:
        keep_made(room, line.made, mask)
    made, reply = line.made, line.made.reply
    digest = hashlib.sha256(made.cohort.tobytes())
    for part in made.parts:
        digest.update(bytes.fromhex(part.sha256))
    detected = with_pairs(line.manifest, line.intake.reply.detected or Detected(), reply)
    return Said(
        output=digest.hexdigest(),
        figures=(
            Figure(name="persons", value=reply.persons, unit="persons"),
            Figure(name="cohorts", value=reply.cohorts, unit="cohorts"),
            Figure(name="parts", value=len(made.parts), unit="parts"),
            Figure(name="without_consent", value=reply.without_consent, unit="persons"),
            Figure(name="left_out", value=reply.left_out_persons, unit="persons"),
            Figure(name="rare_values", value=reply.rare_values_blanked, unit="rows"),
        ),
        findings=of_pairs(line, detected),
    )


def run_bound(line: Line, room: Path) -> Said:
    """What jails promised, checked outside: a person counts once, cohorts are k, and kept between versions."""
    del room
    history, lost = line.book()
    made, parent = line.made, line.order.previous
    if line.manifest.mode == "dp":
        require_same_privacy(line.manifest, line.order.store.version(parent) if parent else None)
    else:
        recheck(line.manifest, line.intake, line.mask, made, history, line.past(), line.order.limits)
        if lost is not None:
            require_the_same(line.order.store, lost, made, line.intake)
    kept = int((made.fate == CARRIED).sum()) if len(made.fate) else 0
    return Said(
        output=hashlib.sha256(repr((made.reply.persons, parent)).encode()).hexdigest(),
        figures=(Figure(name="cohorts_kept", value=kept, unit="cohorts"),) if parent else (),
    )


def run_measure(line: Line, room: Path) -> Said:
    """k, ℓ and t of the finished files, in a third jail; then the version is named, and made ready."""
    manifest, intake, made, order = line.manifest, line.intake, line.made, line.order
    if manifest.mode == "dp":
        measured = MeasureReply(k=1, rows=made.reply.rows, persons=made.reply.persons)
        left_out = LeftOut(persons=0, classes=0, share=0.0)
    else:
        measured = measure(manifest, intake, made, room, order.limits)
        left_out = left_out_of(made.reply, rounded=order.previous is not None)
        for scratch in ("ranges.bin", "cohort.bin"):
            (room / scratch).unlink(missing_ok=True)
    version = version_of(manifest, order.manifest_text, made, measured, left_out, order.previous)
    waiting: tuple[Waiting, ...] = ()
    history = None
    if manifest.mode != "dp":
        coding = coding_digest(manifest)
        history, waiting = follow(
            line.book()[0], made, intake, line.mask, version.created_at_ms, coding, narrow=manifest.mode == "rows"
        )
    prepare(room, version, intake, made, history)
    read = intake.reply
    if read.detected is not None:
        read = replace(read, detected=with_pairs(manifest, read.detected, made.reply))
    line.done = KeptVersion(
        version=version, waiting=waiting, rows_read=intake.rows, read=read,
        sample=invented_rows(manifest) if manifest.mode == "dp" else made.reply.sample,
        without_consent=made.reply.without_consent,
        rare_values_blanked=made.reply.rare_values_blanked, risk=measured.risk,
    )  # fmt: skip
    if line.bench.lasting:
        keep_version(room, line.done)
    said = [
        Figure(name="k", value=version.measured.k),
        Figure(name="fine_share", value=version.fine_share, unit="share"),
        Figure(name="left_out_share", value=version.left_out.share, unit="share"),
        *([Figure(name="l", value=version.measured.l)] if version.measured.l is not None else []),
        *([Figure(name="t", value=round(version.measured.t, 4))] if version.measured.t is not None else []),
        *_risk_figures(measured),
        *([Figure(name="waiting", value=sum(w.persons for w in waiting), unit="persons")] if waiting else []),
    ]
    return Said(output=version.id, figures=tuple(said))


def _risk_figures(measured: MeasureReply) -> list[Figure]:
    """How well somebody who knows that a person is in would guess which record is hers."""
    risk = measured.risk
    if risk is None:
        return []
    return [
        Figure(name="prosecutor_highest", value=round(risk.prosecutor_highest, 6), unit="share"),
        Figure(name="prosecutor_average", value=round(risk.prosecutor_average, 6), unit="share"),
        *([Figure(name="alpha", value=round(risk.alpha, 4))] if risk.alpha is not None else []),
        Figure(name="class_sizes", value="; ".join(_band(risk.sizes, place) for place in range(len(risk.sizes)))),
        *(Figure(name="sensitive", value=_spread(each)) for each in risk.sensitive),
    ]


def _band(bands: tuple[SizeBand, ...], place: int) -> str:
    """Sizes, and how many cohorts have them."""
    band = bands[place]
    until = f"–{bands[place + 1].at_least - 1}" if place + 1 < len(bands) else "+"
    return f"{band.at_least}{until}: {band.classes:,}"


def _spread(one: SensitiveRisk) -> str:
    """How its values are spread over cohorts, in the worst of them; the signs are those of every language."""
    entropy = f"entropy {one.entropy_l:.2f}"
    return f"{one.name}: α {one.alpha:.3f}, ℓ {one.l} ({entropy}), t {one.t:.3f}, β {one.beta:.2f}"


RUNS: Final[dict[Stage, Callable[[Line, Path], Said]]] = {
    "ingest": run_ingest,
    "detect": run_detect,
    "anonymise": run_anonymise,
    "bound": run_bound,
    "measure": run_measure,
    "quality": run_quality,
    "classify": run_classify,
    "describe": run_describe,
}
"""A stage that is not here is not made yet, and is passed over."""
