"""The first suite of a file: read it, see how full its columns are, write what may be expected of the next one."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from catalog.intake import read_source
from catalog.limits import IngestLimits
from catalog.manifest import column_lines, read_manifest
from catalog.quality.generate import generate
from catalog.quality.profile import profile_source
from catalog.quality.suite import Suite


def first_suite(source: Path, manifest_text: str, *, limits: IngestLimits) -> Suite:
    """From the manifest and the file; nothing is kept. Blocking.

    Raises ManifestRefused, PublicationRefused, SandboxFailed.
    """
    manifest, key = read_manifest(manifest_text), secrets.token_bytes(32)

    def pseudonymise(subjects: Sequence[str]) -> list[bytes]:
        return [hashlib.blake2b(s.encode(), key=key, digest_size=16).digest() for s in subjects]

    with tempfile.TemporaryDirectory(prefix="sandulieu-suite-") as folder:
        lines = column_lines(manifest_text)
        intake = read_source(manifest, lines, source, Path(folder), pseudonymise=pseudonymise, limits=limits)
        return generate(manifest, profile_source(manifest, intake.persons, limits=limits))
