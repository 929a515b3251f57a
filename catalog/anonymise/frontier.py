"""What the optimiser is asked and what it finds: schemes of generalisation with what each risks and loses."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from catalog.transforms import Transform
from catalog.wire import AnonymiseOrder, Refusal

LossMeasure = Literal["ncp", "discernibility"]
"""ncp: normalised certainty penalty, 0 (every value as it was) to 1 (nothing remains); a person left out loses 1.
discernibility: the sum of squared class sizes, a person left out counting as one of everybody."""


class OptimiseOrder(Struct, frozen=True, kw_only=True):
    """`t`: no class may be further from the whole than that (None: not asked); `budget_ms`: of the search."""

    anonymise: AnonymiseOrder
    measure: LossMeasure = "ncp"
    t: float | None = None
    budget_ms: int = 40_000


class Choice(Struct, frozen=True, kw_only=True):
    """What a column is shown as at each level: who fits into no class at one is tried at the next."""

    column: str
    levels: tuple[Transform | None, ...]


class Node(Struct, frozen=True, kw_only=True):
    """One scheme. `k`, `l`, `t` of its worst class; `risk`: classes a person shown (the marketer's risk: the
    share whom a guess would name); `fine_share`: of those shown, who stand at the fine level."""

    choices: tuple[Choice, ...]
    k: int
    l: int | None
    t: float | None
    risk: float
    ncp: float
    discernibility: float
    classes: int
    left_out_persons: int
    left_out_share: float
    fine_share: float


class Frontier(Struct, frozen=True, kw_only=True):
    """Schemes of which none is better than another in both loss and risk, the least loss first.

    `least`: what the best scheme of one level loses; `proven`: whether the lattice holds nothing better; else
    `bound` is what no scheme of one level can lose less than. `classes`: at the finest level.
    """

    measure: LossMeasure
    nodes: tuple[Node, ...] = ()
    least: float = 0.0
    proven: bool = False
    bound: float = 0.0
    lattice: int = 0
    evaluated: int = 0
    persons: int = 0
    classes: int = 0
    search_ms: int = 0
    refusal: Refusal | None = None
