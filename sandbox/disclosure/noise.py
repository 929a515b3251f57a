"""Integer noise by OpenDP's core, and the arithmetic of zero-concentrated differential privacy (zCDP).

A mechanism is ρ-zCDP; costs add up. The pair that is shown, (ε, δ), follows from ρ (Bun and Steinke 2016,
proposition 1.3): ε = ρ + 2·√(ρ·ln(1/δ)). OpenDP is imported when the first noise is asked for: it takes 0.3 s.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from statistics import NormalDist
from typing import Any

from msgspec import Struct

MICRO = 1_000_000


class Budget(Struct, frozen=True, kw_only=True):
    """What a query may spend: `rho` over all its measures, `delta` for the presence of groups nobody declared."""

    rho: float
    delta: float


def epsilon_of(rho: float, delta: float) -> float:
    """The ε that ρ-zCDP gives with δ."""
    return rho + 2 * math.sqrt(rho * math.log(1 / delta))


def scale_of(sensitivity: int, rho: float) -> float:
    """σ of the noise that makes a vector whose length one record changes by `sensitivity` ρ-zCDP."""
    return sensitivity / math.sqrt(2 * rho)


def noised(values: Sequence[int], *, sensitivity: int, rho: float) -> list[int]:
    """Each value with discrete Gaussian noise; one record changes the whole vector's length by `sensitivity`."""
    if not values:
        return []
    return _mechanism(sensitivity, rho)(list(values))


@lru_cache(maxsize=256)
def _mechanism(sensitivity: int, rho: float) -> Callable[[list[int]], list[int]]:
    dp: Any = importlib.import_module("opendp.prelude")
    dp.enable_features("contrib")
    space = dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64")
    scale = scale_of(sensitivity, rho)
    while True:
        found = dp.m.make_gaussian(*space, scale=scale)
        # σ is rounded: OpenDP's own account decides, and it rounds upwards.
        if found.map(float(sensitivity)) <= rho:
            mechanism: Callable[[list[int]], list[int]] = found
            return mechanism
        scale *= 1 + 1e-9


def threshold_of(rho: float, delta: float, fewest: int = 1) -> int:
    """The least noisy count at which a group may be shown: one of `fewest` records, which one of them alone brings
    out of the jail, passes with at most δ.

    The discrete Gaussian's tail is below the continuous one's a step before (Canonne, Kamath and Steinke 2020).
    """
    return 1 + math.ceil(fewest + scale_of(1, rho) * -NormalDist().inv_cdf(delta))


def margin_of(scale: float, numbers: int = 1, confidence: float = 0.95) -> float:
    """Half the width of an interval that holds `numbers` numbers' noise at once (Bonferroni)."""
    return scale * NormalDist().inv_cdf(1 - (1 - confidence) / (2 * numbers))
