"""How far a version has moved from the last: the population stability index of each column's bins."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from catalog.quality.wire import ColumnProfile, Profile

SMALL_SHARE = 1e-4
"""Stands for a share of nothing, whose logarithm is none."""
MODERATE_MICRO, LARGE_MICRO = 100_000, 250_000
"""The usual marks: below 0.1 stable, from 0.25 on another population (Siddiqi 2006, Credit Risk Scorecards)."""


class ColumnDrift(Struct, frozen=True, kw_only=True):
    """`psi_micro`: millionths; None where the column is new or gone."""

    name: str
    psi_micro: int | None
    state: Literal["stable", "moderate", "large", "new", "gone"]


def drift(before: Profile, now: Profile) -> tuple[ColumnDrift, ...]:
    """Of each column of either, in the order of `now`, then those that are gone."""
    old = {c.name: c for c in before.columns}
    new = {c.name: c for c in now.columns}
    found = [_of_column(old[c.name], c) if c.name in old else _unknown(c.name, "new") for c in now.columns]
    return (*found, *(_unknown(name, "gone") for name in old if name not in new))


def psi(before: Mapping[str | None, int], now: Mapping[str | None, int]) -> float:
    """Σ (b − a) ln(b / a) over the bins' shares a, b; 0 for the same shares, symmetric, never negative."""
    old_total, new_total = sum(before.values()), sum(now.values())
    if not old_total or not new_total:
        return 0.0
    total = 0.0
    for label in {**before, **now}:
        a = max(before.get(label, 0) / old_total, SMALL_SHARE)
        b = max(now.get(label, 0) / new_total, SMALL_SHARE)
        total += (b - a) * math.log(b / a)
    return total


def _of_column(before: ColumnProfile, now: ColumnProfile) -> ColumnDrift:
    micro = round(1e6 * psi({b.label: b.persons for b in before.bins}, {b.label: b.persons for b in now.bins}))
    state: Literal["stable", "moderate", "large"] = (
        "large" if micro >= LARGE_MICRO else "moderate" if micro >= MODERATE_MICRO else "stable"
    )
    return ColumnDrift(name=now.name, psi_micro=micro, state=state)


def _unknown(name: str, state: Literal["new", "gone"]) -> ColumnDrift:
    return ColumnDrift(name=name, psi_micro=None, state=state)
