"""What a scheme loses and risks, reckoned from its classes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from catalog.anonymise.frontier import LossMeasure
from catalog.anonymise.lattice import Finest, State, spread
from catalog.cohorts import Ints


@dataclass(frozen=True, slots=True)
class Scored:
    """As `Node`, for the levels at which columns are shown: `chain[0]` is tried first, `chain[-1]` last."""

    chain: tuple[tuple[int, ...], ...]
    k: int
    l: int | None
    t: float | None
    ncp: float
    discernibility: float
    classes: int
    lost: int
    fine_persons: int
    total: int

    @property
    def risk(self) -> float:
        return self.classes / max(self.total - self.lost, 1)

    def loss(self, measure: LossMeasure) -> float:
        return self.ncp if measure == "ncp" else self.discernibility


class Scoring:
    """`step[c][level]`: what column c loses at that level, of all that there is to lose, over all persons."""

    def __init__(self, finest: Finest, k: int) -> None:
        self.finest, self.k = finest, k
        columns = max(len(finest.ladders), 1)
        self.step = []
        self.entropy = []
        for ladder, codes in zip(finest.ladders, finest.codes, strict=True):
            counts = np.bincount(codes, finest.weight, len(ladder.groups[0]))
            self.step.append([float(counts @ loss) / (finest.total * columns) for loss in ladder.loss])
            self.entropy.append([_entropy(np.bincount(group, counts)) for group in ladder.groups])

    def at(self, levels: tuple[int, ...]) -> float:
        """What these levels lose if nobody is left out."""
        return sum(step[level] for step, level in zip(self.step, levels, strict=True))

    def rows_lose(self, levels: tuple[int, ...], rows: Ints) -> float:
        """What the persons in `rows` lose at these levels, of all that everybody has."""
        loss = np.zeros(len(rows))
        for ladder, codes, level in zip(self.finest.ladders, self.finest.codes, levels, strict=True):
            loss += ladder.loss[level][codes[rows]]
        weighed = float(loss @ self.finest.weighed(rows))
        return weighed / (self.finest.total * max(len(self.finest.ladders), 1))

    def ncp(self, levels: tuple[int, ...], dead: tuple[Ints, ...], lost: int) -> float:
        """At these levels, with the persons in `dead` (of whom there are `lost`) left out."""
        return self.at(levels) + lost / self.finest.total - sum(self.rows_lose(levels, rows) for rows in dead)

    def bound(self, measure: LossMeasure, levels: tuple[int, ...], state: State) -> float:
        """No scheme loses less that is no finer than `levels` and leaves out whom `state` does."""
        if measure == "ncp":
            return self.ncp(levels, state.dead, state.lost)
        return float((self.finest.total - state.lost) * self.k + state.lost * self.finest.total)

    def one_level(self, state: State) -> Scored:
        weight = self.finest.weighed(state.rows)
        sizes = np.bincount(state.ids, weight, state.classes)
        total = self.finest.total
        l, t = self.spread_of(state.ids, state.classes, state.rows)
        return Scored(
            chain=(state.levels,), k=int(sizes.min(initial=total)), l=l, t=t,
            ncp=self.ncp(state.levels, state.dead, state.lost), total=total, lost=state.lost,
            discernibility=float((sizes**2).sum()) + float(state.lost) * total, classes=state.classes,
            fine_persons=total - state.lost,
        )  # fmt: skip

    def spread_of(self, ids: Ints, classes: int, rows: Ints | None) -> tuple[int | None, float | None]:
        """Least ℓ and greatest t over classes and sensitive columns."""
        if not self.finest.sensitive:
            return None, None
        weight = self.finest.weighed(rows)
        found = [spread(ids, classes, column, rows, weight) for column in self.finest.sensitive]
        return min(l for l, _ in found), max(t for _, t in found)


def _entropy(counts: Ints) -> float:
    share = counts[counts > 0] / max(counts.sum(), 1)
    return float(-(share * np.log2(share)).sum())
