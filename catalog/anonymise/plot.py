"""The frontier as a small drawing: how much is lost against how easily somebody is found, a number a scheme."""

from __future__ import annotations

import math
from html import escape
from typing import Final

from catalog.anonymise.frontier import Frontier, Node

WIDTH, HEIGHT = 460, 312
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 30, 46, 52
_STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#1f2933}.n{font-weight:600}.a{stroke:#52606d}.g{stroke:#e4e7eb}"
    ".l{fill:none;stroke:#1c6dd0;stroke-width:1.5}.p{fill:#1c6dd0}.b{fill:#b44d12}.w{fill:#fff}"
)


def plot(frontier: Frontier) -> str:
    """An SVG that stands alone, with Vietnamese words; the scheme that loses least is number 0."""
    return drawing(frontier).replace("><rect", f"><style>{_STYLE}</style><rect", 1)


def drawing(frontier: Frontier) -> str:
    """The same for a page, whose sheet says how its classes look."""
    nodes = frontier.nodes
    losses = [_loss(frontier, n) for n in nodes]
    across, up = _Axis(losses, _LEFT, WIDTH - _RIGHT), _Axis([n.risk for n in nodes], HEIGHT - _BOTTOM, _TOP)
    points = [(across.at(loss), up.at(n.risk)) for loss, n in zip(losses, nodes, strict=True)]
    lines = "".join(_across(across, tick) for tick in across.ticks()) + "".join(_up(up, t) for t in up.ticks())
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    marks = "".join(_mark(i, x, y, n) for i, ((x, y), n) in enumerate(zip(points, nodes, strict=True)))
    measure = "mất thông tin (NCP)" if frontier.measure == "ncp" else "mất thông tin (lớp gộp, DM)"
    what = f"Đường biên {len(nodes)} phương án: {measure} và nguy cơ nhận ra một người"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(what)}"><rect class="w" width="{WIDTH}" height="{HEIGHT}"/>'
        f'<text x="8" y="18" class="n">Nguy cơ nhận ra một người (lớp / người)</text>{lines}'
        f'<polyline class="l" points="{path}"/>{marks}'
        f'<text x="{(WIDTH + _LEFT) / 2:.0f}" y="{HEIGHT - 10}" text-anchor="middle" class="n">'
        f"{measure[0].upper()}{measure[1:]}</text></svg>\n"
    )


def _loss(frontier: Frontier, node: Node) -> float:
    return node.ncp if frontier.measure == "ncp" else node.discernibility


class _Axis:
    """By the logarithm where the values span more than a factor of ten."""

    def __init__(self, values: list[float], begin: float, end: float) -> None:
        low, high = min(values, default=0.0), max(values, default=1.0)
        self.logarithmic = low > 0 and high / low > 10
        self.low, self.high, self.begin, self.end = self._of(low), self._of(high), begin, end
        if self.high - self.low < 1e-12:  # one scheme, in the middle: neither loss nor risk is ever below nothing
            self.low, self.high = 0.0, 2 * low or 1.0

    def _of(self, value: float) -> float:
        return math.log10(value) if self.logarithmic else value

    def at(self, value: float) -> float:
        share = (self._of(value) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        if self.logarithmic:
            return [10.0**p for p in range(math.ceil(self.low), math.floor(self.high) + 1)]
        step = 10.0 ** math.floor(math.log10(self.high - self.low))
        if (self.high - self.low) / step < 3:
            step /= 2 if (self.high - self.low) / step >= 1.5 else 5
        return [step * i for i in range(math.ceil(self.low / step), math.floor(self.high / step) + 1)]


def _across(axis: _Axis, tick: float) -> str:
    x = axis.at(tick)
    return (
        f'<line class="g" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>'
        f'<text x="{x:.1f}" y="{HEIGHT - _BOTTOM + 17}" text-anchor="middle">{_number(tick)}</text>'
    )


def _up(axis: _Axis, tick: float) -> str:
    y = axis.at(tick)
    return (
        f'<line class="g" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{_number(tick)}</text>'
    )


def _number(value: float) -> str:
    """With a decimal comma; shares as percents are longer and say no more."""
    return f"{value:.3g}".replace(".", ",")


def _mark(number: int, x: float, y: float, node: Node) -> str:
    held = [f"k={node.k}", *([f"ℓ={node.l}"] if node.l is not None else [])]
    held += [f"t={node.t:.2f}".replace(".", ",")] if node.t is not None else []
    said = f"{number}: {', '.join(held)}, loại ra {100 * node.left_out_share:.2f}%".replace(".", ",")
    return (
        f'<g><title>{escape(said)}</title><circle class="{"b" if number == 0 else "p"}" cx="{x:.1f}" cy="{y:.1f}" '
        f'r="5"/><text class="n" x="{x + 7:.1f}" y="{y - 6:.1f}">{number}</text></g>'
    )
