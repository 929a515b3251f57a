"""Measured anonymity in a few lines that an owner reads."""

from __future__ import annotations

from catalog.risk.figures import Risk, SensitiveRisk, SizeBand


def measured_lines(risk: Risk) -> list[str]:
    """How large the cohorts are, who could be told apart, how sensitive values are spread over the cohorts."""
    lines = [
        f"  nhóm/cohorts: {', '.join(_band(risk.sizes, i) for i in range(len(risk.sizes)))}",
        f"  đoán trúng một người/to hit upon a person: nhiều nhất/at most {risk.prosecutor_highest:.1%}, "
        f"trung bình/on average {risk.prosecutor_average:.1%}",
    ]
    return [*lines, *(f"  {_spread(one)}" for one in risk.sensitive)]


def _band(sizes: tuple[SizeBand, ...], place: int) -> str:
    band = sizes[place]
    until = f"–{sizes[place + 1].at_least - 1}" if place + 1 < len(sizes) else "+"
    return f"{band.at_least}{until} người/persons: {band.classes:,}"


def _spread(one: SensitiveRisk) -> str:
    """α, ℓ (distinct; entropy; c at that ℓ), t (equal; ordered), β, δ."""
    c = "" if one.recursive_c is None else f", c {one.recursive_c:.2f}"
    ordered = "" if one.t_ordered is None else f" (theo thứ tự/ordered {one.t_ordered:.3f})"
    return (
        f"{one.name}: α {one.alpha:.3f}, ℓ {one.l} (entropy {one.entropy_l:.2f}{c}), t {one.t:.3f}{ordered}, "
        f"β {one.beta:.2f}, δ {one.delta:.2f}"
    )
