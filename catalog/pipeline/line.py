"""One publication on its way through the stages: what is known so far, read back where a process died."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from msgspec import Struct

from catalog.cohorts import Ints
from catalog.consenting import Consents, consent_masks
from catalog.history import History, placed
from catalog.intake import Intake, Pseudonymise
from catalog.limits import IngestLimits
from catalog.making import Made
from catalog.manifest import Manifest
from catalog.past import Past
from catalog.pii.gate import Override
from catalog.pipeline.kept import Bench, KeptVersion, load_intake, load_made, load_quality, load_version
from catalog.quality.report import QualityReport
from catalog.quality.suite import Suite
from catalog.restoring import read_book
from catalog.storage import Store
from catalog.version import Version


class Order(Struct, frozen=True, kw_only=True):
    """What is to be published, and with what. `source`: opens the owner's file, when it has to be read.

    `register`: a digest of what the consent register says (`consents`), or empty. The rest as for
    `catalog.publish.publish`."""

    manifest: Manifest
    manifest_text: str
    source: Callable[[], AbstractContextManager[Path]]
    source_sha256: str
    store: Store
    pseudonymise: Pseudonymise
    consents: Consents | None
    register: str = ""
    previous: str | None
    limits: IngestLimits
    overrides: tuple[Override, ...] = ()
    suite: Suite | None = None


class Line:
    """The order, its bench, and what the stages have made; each thing is loaded when a later stage asks for it."""

    def __init__(self, order: Order, bench: Bench) -> None:
        self.order, self.bench, self.manifest = order, bench, order.manifest
        self._quality: QualityReport | None = None
        self._intake: Intake | None = None
        self._made: Made | None = None
        self._mask: Ints | None = None
        self._done: KeptVersion | None = None
        self._book: tuple[History | None, Version | None] | None = None

    @property
    def intake(self) -> Intake:
        if self._intake is None:
            self._intake = load_intake(self.bench.room("ingest"))
        return self._intake

    @intake.setter
    def intake(self, intake: Intake) -> None:
        self._intake, self._made, self._mask = intake, None, None

    @property
    def mask(self) -> Ints:
        """Consents, as they were when the cohorts were formed."""
        if self._mask is None and self._made is None:
            self._mask = consent_masks(self.manifest, self.intake, self.order.consents)
        assert self._mask is not None  # set with `_made`
        return self._mask

    @property
    def made(self) -> Made:
        if self._made is None:
            self._made, self._mask = load_made(self.bench.room("anonymise"))
        return self._made

    @made.setter
    def made(self, made: Made) -> None:
        self._made, self._done = made, None

    @property
    def done(self) -> KeptVersion:
        """The version, and who waits."""
        if self._done is None:
            self._done = load_version(self.bench.room("measure"))
        return self._done

    @done.setter
    def done(self, done: KeptVersion) -> None:
        self._done = done

    @property
    def quality(self) -> QualityReport | None:
        """What the suite found; None where none came."""
        if self._quality is None and self.order.suite is not None:
            self._quality = load_quality(self.bench.room("quality"))
        return self._quality

    @quality.setter
    def quality(self, found: QualityReport) -> None:
        self._quality = found

    def book(self) -> tuple[History | None, Version | None]:
        """The lineage's book, or the version whose book is lost. Raises what `read_book` raises."""
        if self._book is None:
            no_book, order = self.manifest.mode == "dp", self.order
            self._book = (None, None) if no_book else read_book(order.store, order.previous, self.manifest)
        return self._book

    def past(self) -> Past | None:
        """The book's, with rows of the new file."""
        history, _ = self.book()
        return placed(history, self.intake) if history else None
