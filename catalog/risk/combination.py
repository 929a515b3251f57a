"""The risk of combination: what somebody could find by joining two listed datasets of the same persons."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from catalog.asking import ask_of_files
from catalog.limits import IngestLimits
from catalog.risk.figures import Combined, CombineOrder, Side
from catalog.version import Version

HIGH_SHARE: Final = 0.05
"""As many of the persons in joint classes below k, and the owner is warned."""
Word = Literal["publication.combination_narrow", "publication.combination_wide"]


def combine(
    first: Version, first_files: list[Path], second: Version, second_files: list[Path], limits: IngestLimits
) -> Combined:
    """Of the published files alone. Blocking. dp mode shows no file, so it combines with nothing: ValueError.

    k is the greater promise of the two. Raises SandboxFailed.
    """
    sides = [_side(first, first_files), _side(second, second_files)]
    order = CombineOrder(
        first=sides[0], second=sides[1], shared=shared_columns(first, second), k=max(first.k, second.k)
    )
    return ask_of_files("catalog.jailed.combination:main", order, [*first_files, *second_files], Combined, limits)


def shared_columns(first: Version, second: Version) -> tuple[str, ...]:
    """Quasi-identifiers of one name and type: what a join would go by. Values at another level match nobody."""
    theirs = {c.name: c.type for c in second.columns if c.role == "quasi-identifier"}
    return tuple(c.name for c in first.columns if c.role == "quasi-identifier" and theirs.get(c.name) == c.type)


def word_of(combined: Combined) -> Word:
    """Which of two messages an owner is told, with the figures as its parameters."""
    narrow = combined.below_k_share > HIGH_SHARE
    return "publication.combination_narrow" if narrow else "publication.combination_wide"


def told(found: Combined, other: str) -> dict[str, object]:
    """The figures as the message has them."""
    return {
        "other": other, "columns": ", ".join(found.shared) or "–", "k": found.k,
        "persons": round(found.persons), "below": round(found.persons * found.below_k_share),
        "alone": round(found.alone),
    }  # fmt: skip


def _side(version: Version, files: list[Path]) -> Side:
    if version.mode == "dp":
        raise ValueError(version.id)
    names = tuple(c.name for c in version.columns if c.role == "quasi-identifier")
    return Side(quasi_identifiers=names, counted="n" if version.mode == "aggregate" else "", files=len(files))
