"""Which role each column may have: by its name, its values, and what all of them together would give away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
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
_LEFT_OUT_SHARE = 0.05
"""What a manifest allows that says nothing of it."""
_MOST_DIMENSIONS = 12
_DROPPED = Transform(drop=True)
_SPANS = {"year": 1, "five_years": 5, "decade": 10}


def decide(one: Profile, found: Kind | None = None) -> GuessedColumn:
    """By the column alone; `found`: what its cells look like. A quasi-identifier falls back to nothing told, so
    that nobody is left out."""
    role, reason, transform = ("identifier", "detected", None) if found and not one.rounded else _role(one)
    personal = one.hint.personal if one.hint else ("none" if role == "drop" else "basic")
    return GuessedColumn(
        name=one.name, type=one.type, role=role, reason=reason, values=one.distinct, personal=personal,
        empty_share=round(1 - one.filled / one.rows, 4), transform=transform,
        found=found if reason == "detected" else None, spellings=one.spellings if transform is None else 0,
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
    if one.almost_dates and one.distinct > _SOME:
        return "drop", "almost_dates", None
    share = 1 if one.type == "integer" else _UNIQUE_SHARE
    if one.type in ("text", "integer") and not kind and _ENOUGH_ROWS * share <= share * one.filled <= one.distinct:
        return "identifier", "unique", None
    if one.decimal_unclear:
        return "drop", "decimal_unclear", None
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


def choose(
    profiles: Sequence[Profile], guessed: Sequence[GuessedColumn], rows: Ints | None = None
) -> tuple[list[GuessedColumn], float]:
    """Of the quasi-identifiers as many as leave most rows in classes of k, days by longer spans where those by
    years do not; the share of these rows. `rows`: of each person the one that counts; None: all."""
    able = [pair for pair in zip(profiles, guessed, strict=True) if pair[1].role == "quasi-identifier"]
    codes = {one.name: _codes(profile, one.transform) for profile, one in able}
    known = {p.name for p in profiles if p.hint is not None and p.hint.kind != "identifier"}
    counted = slice(None) if rows is None else rows
    classes, share, kept = (
        np.zeros(profiles[0].rows if profiles else 0, dtype=np.int64),
        1.0,
        dict[str, GuessedColumn](),
    )
    for profile, one in sorted(
        able,
        key=lambda a: (codes[a[1].name].max() > _FEW, a[1].name not in known, int(codes[a[1].name].max())),
    ):
        for as_shown in _coarser(one):
            finer = _together(classes, _codes(profile, as_shown.transform))
            alike = np.bincount(finer[counted])[finer[counted]] >= K
            left = float(alike.mean())
            if (left >= _FINE_SHARE and _rest_falls_back(alike) and len(kept) < _MOST_DIMENSIONS) or not kept:
                classes, share = finer, left
                kept[one.name] = as_shown
                break
    chosen = [kept.get(one.name) or _left_out(one) if one.role == "quasi-identifier" else one for one in guessed]
    return chosen, share


def _rest_falls_back(alike: npt.NDArray[np.bool_]) -> bool:
    """Whether the others are enough to be one class where nothing is told, or so few that they may be left out."""
    rest = int((~alike).sum())
    return rest >= K or rest <= _LEFT_OUT_SHARE * len(alike)


def _together(classes: Ints, codes: Ints) -> Ints:
    return np.unique(classes * (int(codes.max()) + 1) + codes, return_inverse=True)[1]


def _coarser(one: GuessedColumn) -> Iterator[GuessedColumn]:
    """As it was guessed; days then by five years and by ten."""
    yield one
    if one.transform is not None and one.transform.truncate is not None:
        for span in ("five_years", "decade"):
            yield replace(one, reason="coarse_dates", transform=Transform(truncate=span))


def _left_out(one: GuessedColumn) -> GuessedColumn:
    return replace(one, role="drop", reason="too_rare_together", transform=None, fallback=None)


def _codes(one: Profile, transform: Transform | None) -> Ints:
    """A number a row, the same for rows that the transform makes alike."""
    if transform is None:
        return np.unique(one.codes, return_inverse=True)[1]
    if transform.bins is not None:
        numbers = one.values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return np.where(np.isnan(numbers), 0, 1 + np.searchsorted(transform.bins, numbers, side="right"))
    if transform.truncate is not None:
        years = compute.fill_null(compute.year(one.values), 0).to_numpy(zero_copy_only=False)
        return np.unique(years // _SPANS[transform.truncate], return_inverse=True)[1]
    labels = [str(label) for label in apply(transform, one.values.dictionary.to_pylist(), TABLES)]
    numbered = np.append(np.unique(labels, return_inverse=True)[1] + 1, 0)
    return np.unique(numbered[one.codes], return_inverse=True)[1]
