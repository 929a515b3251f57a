"""The optimiser's face: a file and a manifest in, schemes of generalisation out, for the owner to choose one."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from catalog.anonymise.frontier import Frontier, LossMeasure, OptimiseOrder
from catalog.asking import ask_of_files
from catalog.consenting import consent_masks
from catalog.errors import PublicationRefused
from catalog.intake import Intake, read_source
from catalog.limits import IngestLimits
from catalog.making import anonymise_order
from catalog.manifest import Manifest, column_lines, read_manifest


def optimise(
    source: Path, manifest_text: str, *, limits: IngestLimits | None = None, measure: LossMeasure = "ncp",
    t: float | None = None, budget_ms: int = 40_000, room: Path | None = None,
) -> Frontier:  # fmt: skip
    """Schemes that hold the manifest's k, ℓ and max_left_out_share (and t), the least loss first. Blocking.

    The levels of a column are those of its hierarchy, its transform and fallback with round bins around them, or,
    where the manifest says nothing, round bins and parts of dates. `budget_ms`: of the search, reading apart.
    `room`: the folder for persons' records while they are looked at; None: the machine's for such files.
    Raises ManifestRefused, PublicationRefused, SandboxFailed.
    """
    manifest, limits = read_manifest(manifest_text), limits or IngestLimits()
    if manifest.mode == "dp":
        raise PublicationRefused("publication.nothing_to_optimise", mode=manifest.mode)
    once = secrets.token_bytes(32)

    def pseudonymise(subjects: Sequence[str]) -> list[bytes]:
        return [hashlib.blake2b(s.encode(), key=once, digest_size=16).digest() for s in subjects]

    with tempfile.TemporaryDirectory(prefix="sandulieu-optimise-", dir=room) as name:
        folder = Path(name)
        lines = column_lines(manifest_text)
        intake = read_source(manifest, lines, source, folder, pseudonymise=pseudonymise, limits=limits)
        order = OptimiseOrder(
            anonymise=anonymise_order(manifest, intake.digest, limits), measure=measure, t=t, budget_ms=budget_ms
        )
        return _search(order, manifest, intake, folder, limits)


def _search(
    order: OptimiseOrder, manifest: Manifest, intake: Intake, folder: Path, limits: IngestLimits
) -> Frontier:
    masks = folder / "masks.bin"
    masks.write_bytes(consent_masks(manifest, intake, None).astype(np.int32).tobytes())
    bounds = replace(limits, deadline_ms=limits.deadline_ms + order.budget_ms)
    frontier = ask_of_files("catalog.jailed.optimise:main", order, [intake.persons, masks], Frontier, bounds)
    if frontier.refusal is not None:
        raise PublicationRefused(frontier.refusal.code, **frontier.refusal.params)
    return frontier
