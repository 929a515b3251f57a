"""A manifest and a file tried without publishing anything: no key, no store, all that can be said beforehand."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from catalog.errors import ManifestError, ManifestRefused, PublicationRefused
from catalog.limits import IngestLimits
from catalog.publish import Report, publish
from catalog.storage import Store
from catalog.version import Version


class CheckReport(Struct, frozen=True, kw_only=True):
    """`errors` of the manifest, or the refusal of the file (code, params), or the figures that it would have."""

    errors: tuple[ManifestError, ...] = ()
    refusal: ManifestError | None = None
    """line and column are 0: it is about the file as a whole."""
    version: Version | None = None
    report: Report | None = None

    @property
    def ok(self) -> bool:
        return self.version is not None


def check(source: Path, manifest_text: str, *, limits: IngestLimits | None = None) -> CheckReport:
    """Everything that publication does, into a folder that is thrown away. Consents: only the file's own flags.

    Raises SandboxFailed if a jail cannot be made or is broken off.
    """
    once = secrets.token_bytes(32)

    def pseudonymise(subjects: Sequence[str]) -> list[bytes]:
        return [hashlib.blake2b(s.encode(), key=once, digest_size=16).digest() for s in subjects]

    with tempfile.TemporaryDirectory(prefix="sandulieu-check-") as folder:
        try:
            made = publish(
                manifest_text, source, store=Store(Path(folder)), pseudonymise=pseudonymise, consents=None,
                previous=None, limits=limits or IngestLimits(),
            )  # fmt: skip
        except ManifestRefused as refused:
            return CheckReport(errors=refused.errors)
        except PublicationRefused as refused:
            return CheckReport(refusal=ManifestError(line=0, column=0, code=refused.code, params=refused.params))
    return CheckReport(version=made.version, report=made.report)
