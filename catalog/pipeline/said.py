"""What a stage answers."""

from __future__ import annotations

from msgspec import Struct

from catalog.pipeline.record import Figure, Finding


class Said(Struct, frozen=True, kw_only=True):
    """`output`: what stands for all that the stage made."""

    output: str
    figures: tuple[Figure, ...] = ()
    findings: tuple[Finding, ...] = ()
