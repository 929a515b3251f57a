"""Running the stages in order: each on what the one before it left, again only where something changed."""

from __future__ import annotations

import errno
import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from catalog.errors import PublicationRefused, code_of
from catalog.history import Waiting
from catalog.pipeline.detecting import refuse
from catalog.pipeline.kept import Bench
from catalog.pipeline.line import Line, Order
from catalog.pipeline.record import STAGES, Finding, Stage, StageRecord
from catalog.pipeline.stages import RUNS
from catalog.releasing import place
from catalog.version import Version
from catalog.working import space
from sandbox.job import SandboxFailed

RUN_STAGES: Final = tuple(stage for stage in STAGES if stage in RUNS)
PERSONAL: Final[tuple[Stage, ...]] = ("ingest", "anonymise")
"""Stages whose rooms hold persons' own records, and which person stands in which cohort."""
_DAY_NS: Final = 86_400 * 10**9
Observe = Callable[[StageRecord], None]


class Pipeline:
    """One publication. `lasting`: its folder outlives the process, and a stage that passed is not run again."""

    def __init__(self, order: Order, folder: Path, *, lasting: bool = False) -> None:
        self.line = Line(order, Bench(folder, lasting=lasting))
        self.records: dict[Stage, StageRecord] = {}

    def run(self, stage: Stage) -> StageRecord:
        """The record of the stage, which passed or stopped with findings. The stages before it have passed.

        Raises PublicationRefused, SandboxFailed, OSError: `broken` says them as a record.
        """
        wanted = self._input(stage)
        earlier = self.line.bench.earlier(stage, wanted)
        if earlier is not None:
            self.records[stage] = earlier
            return earlier
        began = time.monotonic()
        with space():
            self._restore(stage)
            room = self.line.bench.cleared(stage)
            said = RUNS[stage](self.line, room)
            stops = any(each.severity == "stop" for each in said.findings)
            record = StageRecord(
                stage=stage, state="stopped" if stops else "passed", input_sha256=wanted,
                output_sha256=said.output, figures=said.figures, findings=said.findings,
                duration_ms=_ms_since(began),
            )  # fmt: skip
            if not stops:
                self.line.bench.keep(record)
        self.records[stage] = record
        return record

    def run_all(self, observe: Observe | None = None) -> None:
        """Every stage. Raises as `run`, and PublicationRefused for findings that stop."""
        tell = observe or (lambda _: None)
        for stage in RUN_STAGES:
            tell(StageRecord(stage=stage, state="running"))
            began = time.monotonic()
            try:
                record = self.run(stage)
            except (PublicationRefused, SandboxFailed, OSError) as error:
                tell(replace(broken(stage, error), duration_ms=_ms_since(began)))
                raise
            tell(record)
            if record.state == "stopped":
                refuse(self.line, stage)

    @property
    def version(self) -> Version:
        """What was made. Measured, before anybody listed it."""
        return self.line.done.version

    @property
    def made_in(self) -> Path:
        """The folder of the version's parts, until it is placed."""
        return self.line.bench.room("measure") / "public"

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        return self.line.done.waiting

    def place(self) -> None:
        """Put the version into the store: it can be asked from now on by whoever knows its id."""
        with space():
            place(self.line.order.store, self.line.bench.room("measure"), self.version.id)

    def shed(self) -> None:
        """All stages have passed and people look at the figures: until then no person's record lies open."""
        for stage in PERSONAL:
            if not self.line.bench.is_shed(stage):
                self.line.bench.shed(stage)

    def _restore(self, stage: Stage) -> None:
        """Make again what earlier stages had made, where it was shed."""
        for before in RUN_STAGES[: RUN_STAGES.index(stage)]:
            if self.line.bench.is_shed(before):
                RUNS[before](self.line, self.line.bench.cleared(before))
                self.line.bench.keep(self.records[before])

    def _input(self, stage: Stage) -> str:
        """SHA-256 of all that the outcome depends on: what came before, and what comes to it from outside."""
        order, place_ = self.line.order, RUN_STAGES.index(stage)
        before = (order.source_sha256, *(self.records[each].output_sha256 for each in RUN_STAGES[:place_]))
        outside: tuple[object, ...] = (order.manifest_text,)
        if stage == "anonymise":
            outside = (order.previous, order.register, order.overrides)
        if stage == "detect":
            outside = (order.manifest_text, order.overrides)
        if stage == "quality":
            outside = (order.manifest_text, order.suite)
        if stage == "classify":
            outside = (order.manifest_text, time.time_ns() // _DAY_NS)  # the law in force may be another one
        return hashlib.sha256(msgspec.json.encode((stage, before, outside))).hexdigest()


def broken(stage: Stage, error: Exception) -> StageRecord:
    """A stage that ended by an error: stopped where the data or the manifest are not fit, else failed."""
    if isinstance(error, PublicationRefused) and error.code != "publication.disk_full":
        finding = Finding(code=error.code, severity="stop", params=error.params)
        return StageRecord(stage=stage, state="stopped", findings=(finding,))
    if isinstance(error, PublicationRefused | SandboxFailed):
        code = code_of(error) if isinstance(error, SandboxFailed) else error.code
        finding = Finding(code=code, severity="stop", params=error.params)
    else:
        number = errno.errorcode.get(getattr(error, "errno", None) or 0, type(error).__name__)
        finding = Finding(code="publication.broke", severity="stop", params={"what": number})
    return StageRecord(stage=stage, state="failed", findings=(finding,))


def _ms_since(began: float) -> int:
    return round(1000 * (time.monotonic() - began))
