"""How anonymous Parquet files are, measured in a jail: the face of this package."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from catalog.asking import ask_of_files
from catalog.errors import PublicationRefused
from catalog.limits import IngestLimits
from catalog.risk.figures import Risk, RiskOrder, RiskReply


def measure(
    files: Sequence[Path], *, quasi_identifiers: Sequence[str], sensitive: Sequence[str] = (),
    population: Path | None = None, counted: str = "n", limits: IngestLimits | None = None,
) -> Risk:  # fmt: skip
    """Every measure of the files as one table. Blocking.

    `population`: a Parquet file with the quasi-identifiers and, in the column `counted`, how many persons of the
    whole population are alike in them. Raises PublicationRefused (`publication.risk_unmeasured`), SandboxFailed.
    """
    limits = limits or IngestLimits()
    order = RiskOrder(
        quasi_identifiers=tuple(quasi_identifiers), sensitive=tuple(sensitive), files=len(files),
        counted=counted if population is not None else "",
    )  # fmt: skip
    inputs = [*files, *([population] if population else [])]
    reply = ask_of_files("catalog.jailed.risk:main", order, inputs, RiskReply, limits)
    if reply.risk is None:
        raise PublicationRefused("publication.risk_unmeasured", fault=reply.fault)
    return reply.risk
