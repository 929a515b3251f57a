"""What is computed from noisy measures: counts, sums, means, variances, quantiles, each with a 95% interval.

An interval holds the figure that exact measures would give (clamped, in whole steps), whatever the data are: each
measure's noise is bounded at once with the others' (Bonferroni), and the figure's extremes over that box are
given.
Nothing here sees an exact number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from msgspec import Struct

from sandbox.disclosure.dp import Figure
from sandbox.disclosure.measures import band_edges, middle
from sandbox.disclosure.noise import margin_of
from sandbox.job import Bounds


class Noisy(Struct, frozen=True, kw_only=True):
    """A measure with noise of standard deviation `scale`: one number, or one a band."""

    values: tuple[int, ...]
    scale: float


class Interval(Struct, frozen=True, kw_only=True):
    """A figure and between what it lies. All None: too few records to say anything."""

    value: float | int | None
    low: float | int | None
    high: float | int | None


NOTHING = Interval(value=None, low=None, high=None)


def figure_of(figure: Figure, measures: Sequence[Noisy]) -> Interval:
    """The figure from its measures, in the column's own unit."""
    match figure.kind:
        case "count":
            return _count(measures[0])
        case "sum":
            return _sum(measures[0], figure.bounds)
        case "avg":
            return _mean(measures[0], measures[1], figure.bounds)
        case "spread":
            return _spread(figure.name, measures, figure.bounds)
        case "quantile":
            return _quantile(measures[0], figure.bounds, figure.fraction)
    raise AssertionError(figure.kind)


def margin_of_figure(figure: Figure, scales: Sequence[float]) -> float:
    """Half the width of a count's or a sum's interval."""
    step = figure.bounds.step if figure.bounds else 1
    return margin_of(scales[0]) * step


def _count(count: Noisy) -> Interval:
    margin = math.ceil(margin_of(count.scale))
    value = count.values[0]
    return Interval(value=value, low=value - margin, high=value + margin)


def _sum(total: Noisy, bounds: Bounds | None) -> Interval:
    assert bounds is not None
    margin, value = margin_of(total.scale), total.values[0]
    return Interval(
        value=value * bounds.step, low=(value - margin) * bounds.step, high=(value + margin) * bounds.step
    )


def _box(noisy: Noisy, together: int) -> tuple[float, float]:
    margin = margin_of(noisy.scale, together)
    return noisy.values[0] - margin, noisy.values[0] + margin


def _ratio(top: tuple[float, float], bottom: tuple[float, float], most: float) -> tuple[float, float]:
    """Least and most of top / bottom over both, where the truth lies between −most and most."""
    if bottom[1] < 1:
        return -most, most
    below = max(bottom[0], 1.0)
    found = [t / b for t in top for b in (below, bottom[1])]
    return max(min(found), -most), min(max(found), most)


def _mean(count: Noisy, centred: Noisy, bounds: Bounds | None) -> Interval:
    assert bounds is not None
    if count.values[0] < 1:
        return NOTHING
    at, half = middle(bounds), _half(bounds)
    low, high = _ratio(_box(centred, 2), _box(count, 2), half)
    value = min(max(centred.values[0] / count.values[0], -half), half)
    value, low, high = ((at + x) * bounds.step for x in (value, low, high))
    return _between(value, low, high, bounds)


def _half(bounds: Bounds) -> int:
    low, high = bounds.steps
    return max(high - middle(bounds), middle(bounds) - low)


def _between(value: float, low: float, high: float, bounds: Bounds) -> Interval:
    """What is known without any data: the figure lies between the declared bounds."""
    low, high = max(low, bounds.lower), min(high, bounds.upper)
    value = min(max(value, bounds.lower), bounds.upper)
    return Interval(value=value, low=min(low, value), high=max(high, value))


def _spread(name: str, measures: Sequence[Noisy], bounds: Bounds | None) -> Interval:
    """Variance = mean of squares − square of the mean; never below 0, nor above a quarter of the range squared."""
    assert bounds is not None
    count, centred, squares = measures
    least = 1 if name.endswith("_pop") else 2
    if count.values[0] < least:
        return NOTHING
    n, most = count.values[0], float(_half(bounds))
    mean = _ratio(_box(centred, 3), _box(count, 3), most)
    mean_of_squares = _ratio(_box(squares, 3), _box(count, 3), most * most)
    smallest = 0.0 if mean[0] <= 0 <= mean[1] else min(mean[0] ** 2, mean[1] ** 2)
    largest = max(mean[0] ** 2, mean[1] ** 2)
    value = squares.values[0] / n - (centred.values[0] / n) ** 2
    found = [value, mean_of_squares[0] - largest, mean_of_squares[1] - smallest]
    if least == 2:
        few = max(_box(count, 3)[0], 2.0)
        found = [found[0] * n / (n - 1), found[1], found[2] * few / (few - 1)]
    top = most * most * (2 if least == 2 else 1)
    value, low, high = (min(max(x, 0.0), top) * bounds.step**2 for x in found)
    if name.startswith("stddev"):
        value, low, high = math.sqrt(value), math.sqrt(low), math.sqrt(high)
    return Interval(value=value, low=min(low, value), high=max(high, value))


def _quantile(bands: Noisy, bounds: Bounds | None, fraction: float) -> Interval:
    """From a noisy histogram over the declared bands.

    G(j) = (1 − q)·(records up to band j) − q·(those above) is below 0 before the band that holds the q-quantile,
    and not below 0 from there on. Its noise is known, so the bands that may hold it are too; the edges of the
    outermost are the interval.
    """
    assert bounds is not None
    count = len(bands.values)
    total, below = sum(bands.values), 0
    if total < 1:
        return NOTHING
    margins = margin_of(bands.scale, count)
    first: int | None = None
    last = at = count - 1
    before, within = 0.0, 0.0
    found = False
    for index, value in enumerate(bands.values):
        below += value
        gap = (1 - fraction) * below - fraction * (total - below)
        noise = margins * math.sqrt((1 - fraction) ** 2 * (index + 1) + fraction**2 * (count - index - 1))
        if first is None and gap + noise >= 0:
            first = index
        if not found and gap >= 0:
            found, at, before, within = True, index, float(below - value), float(value)
        if gap - noise >= 0:
            last = index
            break
    start, end = band_edges(bounds, at)
    share = min(max((fraction * total - before) / within, 0.0), 1.0) if within > 0 else 0.5
    value_steps = start + share * (end - start)
    low = band_edges(bounds, first if first is not None else count - 1)[0]
    high = band_edges(bounds, max(last, at))[1]
    return _between(value_steps * bounds.step, low * bounds.step, high * bounds.step, bounds)
