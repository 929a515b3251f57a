"""No version of data that misses what its own suite calls critical."""

from __future__ import annotations

from pathlib import Path

from catalog.errors import PublicationRefused
from catalog.limits import IngestLimits
from catalog.manifest import Manifest
from catalog.quality.check import check
from catalog.quality.columns import checked_columns
from catalog.quality.expectations import expectations_binds
from catalog.quality.report import QualityReport
from catalog.quality.rules import require_fit
from catalog.quality.suite import Suite


def require_quality(manifest: Manifest, suite: Suite, persons: Path, limits: IngestLimits) -> QualityReport:
    """What the suite finds of persons' typed columns, before anything is made coarser. Blocking.

    Raises ManifestRefused for a suite that contradicts the manifest, PublicationRefused, SandboxFailed.
    """
    require_fit(suite, manifest)
    found = check([persons], checked_columns(manifest), suite, limits=limits, expectations=expectations_binds())
    missed = found.critical
    if missed:
        places = [str(place) for place, v in enumerate(found.verdicts, 1) if v in missed]
        raise PublicationRefused(
            "quality.critical", failed=sum(v.outcome == "failed" for v in missed),
            errors=sum(v.outcome == "error" for v in missed), places=", ".join(places),
        )  # fmt: skip
    return found
