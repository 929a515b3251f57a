"""Which role each column may have: by its name, its values, and what all of them together would give away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from msgspec.structs import replace
from pyarrow import compute

from catalog.cohorts import Ints
from catalog.guess.told import GuessedColumn, Reason
from catalog.jailed.profile import TABLES, Profile
from catalog.pii.kinds import Kind
from catalog.reading import ManifestRole
from catalog.transforms import Transform, apply

K = 10
_FEW = 12
_SOME = 50
_UNIQUE_SHARE = 0.9
_ENOUGH_ROWS = 100
_FINE_SHARE = 0.7
"""Of the rows that should keep their values: another column is not added where it would be less."""
_MOST_DIMENSIONS = 12
_DROPPED = Transform(drop=True)


def decide(one: Profile, found: Kind | None = None) -> GuessedColumn:
    """By the column alone; `found`: what its cells look like. A quasi-identifier falls back to nothing told, so
    that nobody is left out."""
    role, reason, transform = ("identifier", "detected", None) if found and not one.rounded else _role(one)
    personal = one.hint.personal if one.hint else ("none" if role == "drop" else "basic")
    return GuessedColumn(
        name=one.name, type=one.type, role=role, reason=reason, values=one.distinct, personal=personal,
        empty_share=round(1 - one.filled / one.rows, 4), transform=transform,
        found=found if reason == "detected" else None,
        fallback=_DROPPED if role == "quasi-identifier" else None,
    )  # fmt: skip


def _role(one: Profile) -> tuple[ManifestRole, Reason, Transform | None]:
    kind = one.hint.kind if one.hint else ""
    if one.hint and one.hint.unsure and one.distinct <= _SOME and one.filled >= _ENOUGH_ROWS:
        kind = ""
    if one.rounded:
        return "identifier", "rounded", None
    if kind == "consent":
        return "drop", "consent", None
    if kind == "identifier":
        return "identifier", "named_identifier", None
    if one.distinct < 2:
        return "drop", "constant" if one.distinct else "empty", None
    role: ManifestRole = "sensitive" if kind == "sensitive" else "quasi-identifier"
    reason: Reason | None = "named_sensitive" if kind == "sensitive" else None
    if one.type in ("date", "timestamp"):
        return role, reason or "dates", Transform(truncate="year")
    share = 1 if one.type == "integer" else _UNIQUE_SHARE
    if one.type in ("text", "integer") and not kind and _ENOUGH_ROWS * share <= share * one.filled <= one.distinct:
        return "identifier", "unique", None
    if one.type in ("integer", "number") and (one.type == "number" or one.distinct > _FEW):
        bounds = _bounds(one.values)
        return (role, reason or "numbers", Transform(bins=bounds)) if bounds else ("drop", "one_sided", None)
    if one.hierarchy:
        return role, reason or "hierarchy", one.hierarchy
    if one.distinct > _SOME:
        return "drop", "too_many_values", None
    return role, reason or ("yes_or_no" if one.type == "boolean" else "few_values"), None


def _bounds(values: pa.Array) -> tuple[float, ...]:
    """Of thirds, rounded to two digits (years to three): bounds that say nothing of a single person."""
    numbers = compute.drop_null(values).to_numpy(zero_copy_only=False).astype(float)
    thirds = np.quantile(numbers, (1 / 3, 2 / 3))
    digits = 3 if len({f"{third:.2g}" for third in thirds}) == 1 else 2
    bounds = sorted({float(f"{third:.{digits}g}") for third in thirds})
    return tuple(b for b in bounds if K <= (numbers < b).sum() <= len(numbers) - K)


def choose(profiles: Sequence[Profile], guessed: Sequence[GuessedColumn]) -> tuple[list[GuessedColumn], float]:
    """Of the quasi-identifiers as many as leave most rows in classes of k; the share of these."""
    codes = {
        one.name: _codes(profile, one)
        for profile, one in zip(profiles, guessed, strict=True)
        if one.role == "quasi-identifier"
    }
    known = {p.name for p in profiles if p.hint is not None and p.hint.kind != "identifier"}
    rows = profiles[0].rows if profiles else 0
    classes, share, kept = np.zeros(rows, dtype=np.int64), 1.0, set[str]()
    for name in sorted(codes, key=lambda n: (codes[n].max() > _FEW, n not in known, int(codes[n].max()))):
        finer = np.unique(classes * (int(codes[name].max()) + 1) + codes[name], return_inverse=True)[1]
        left = float((np.bincount(finer)[finer] >= K).mean())
        if (left >= _FINE_SHARE and len(kept) < _MOST_DIMENSIONS) or not kept:
            classes, share = finer, left
            kept.add(name)
    return [
        one if one.role != "quasi-identifier" or one.name in kept else _left_out(one) for one in guessed
    ], share


def _left_out(one: GuessedColumn) -> GuessedColumn:
    return replace(one, role="drop", reason="too_rare_together", transform=None, fallback=None)


def _codes(one: Profile, guessed: GuessedColumn) -> Ints:
    """A number a row, the same for rows that the transform makes alike."""
    transform = guessed.transform
    if transform is None:
        return np.unique(one.codes, return_inverse=True)[1]
    if transform.bins is not None:
        numbers = one.values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.where(np.isnan(numbers), 0, 1 + np.searchsorted(transform.bins, numbers, side="right"))
    if transform.truncate is not None:
        years = compute.fill_null(compute.year(one.values), 0).to_numpy(zero_copy_only=False)
        return np.unique(years, return_inverse=True)[1]
    labels = [str(label) for label in apply(transform, one.values.dictionary.to_pylist(), TABLES)]
    numbered = np.append(np.unique(labels, return_inverse=True)[1] + 1, 0)
    return np.unique(numbered[one.codes], return_inverse=True)[1]
