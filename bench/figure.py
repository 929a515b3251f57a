"""One measured figure, as `bench/results.json` lists it."""

from __future__ import annotations

import os
import platform
from typing import Any, Literal


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    n: int,
    goal: float | None = None,
    baseline: float | None = None,
    better: Literal["lower", "higher"] = "lower",
) -> dict[str, Any]:
    """`ratio` is value ÷ baseline; `goal` bounds the ratio where there is a baseline, else the value."""
    return {
        "name": name,
        "value": round(value, 4),
        "unit": unit,
        "baseline": None if baseline is None else round(baseline, 4),
        "ratio": None if not baseline else round(value / baseline, 3),
        "goal": goal,
        "better": better,
        "n": n,
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Linux {platform.release().split('-')[0]}",
    }


def quantile(values: list[float], share: float) -> float:
    """Nearest-rank quantile."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
