"""The search for the scheme of one level that loses least: greedy first, then branch and bound over the lattice.

A scheme loses at least what its columns lose one by one (a sum of numbers known beforehand), and whoever is left
out by some of the columns stays left out with more of them. So a branch that fixes some columns is bounded without
forming a class, and closed by forming those of the fixed columns only (the subset property of Incognito). Within
its time the search proves its optimum; after that it says how far off it can be.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.random import PCG64, Generator

from catalog.anonymise.frontier import LossMeasure
from catalog.anonymise.lattice import Classes, State
from catalog.anonymise.pairs import PairFloors
from catalog.anonymise.scoring import Scored, Scoring

_TIE = 1e-12
_GREEDY_SHARE = 0.4
"""Of the time, at most, for tries that prove nothing."""

_VAIN_TRIES = 25


class Search:
    """`found`: the schemes formed whole that hold k, ℓ, t and the share. `bound`, `proven`: see Frontier."""

    def __init__(
        self, classes: Classes, scoring: Scoring, *, measure: LossMeasure, t: float | None, pinned: frozenset[int],
        seconds: float, seed: int,
    ) -> None:  # fmt: skip
        self.classes, self.scoring, self.measure, self.t, self.pinned = classes, scoring, measure, t, pinned
        self.began, self.seconds = time.monotonic(), seconds
        self.random = Generator(PCG64(seed))
        self.found: dict[tuple[int, ...], Scored] = {}
        self.best: Scored | None = None
        self.proven, self.bound = True, np.inf
        steps = scoring.step
        self.order = sorted(
            (c for c in range(len(steps)) if c not in pinned), key=lambda c: steps[c][0] - steps[c][-1]
        )

    def run(self) -> None:
        """Fills `found`; nothing is found where not even the coarsest scheme holds."""
        top = self.classes.top()
        if top is None:
            return
        self._judge(top)
        for weighs in (True, False):
            self._greedy(top, self._scores(0.0, by_entropy=weighs))
        size = float(np.prod([float(len(ladder)) for ladder in self.classes.finest.ladders]))
        if size > 2_000:
            self._repair(top)
        self.floors = PairFloors(self.classes, lambda: self._late(1.0))
        self._branch(top, 0)
        least = self.best.loss(self.measure) if self.best else np.inf
        self.bound = min(self.bound, least)

    def _late(self, share: float) -> bool:
        return time.monotonic() - self.began > self.seconds * share

    def _judge(self, state: State) -> None:
        if state.levels in self.found:
            return
        scored = self.scoring.one_level(state)
        if self.t is not None and scored.t is not None and scored.t > self.t:
            return
        self.found[state.levels] = scored
        if self.best is None or scored.loss(self.measure) < self.best.loss(self.measure):
            self.best = scored

    def _scores(self, noise: float, *, by_entropy: bool) -> Callable[[int, int], float]:
        """How much is won by taking a column one level finer, for what it splits."""
        luck = np.exp(noise * self.random.standard_normal(len(self.scoring.step)))

        def score(column: int, level: int) -> float:
            step, entropy = self.scoring.step[column], self.scoring.entropy[column]
            won = (step[level] - step[level - 1]) * luck[column]
            return float(won / (entropy[level - 1] - entropy[level] + 0.05) if by_entropy else won)

        return score

    def _greedy(self, state: State, score: Callable[[int, int], float]) -> State:
        """Finer by the best step that still holds, until none does; what does not hold once never will again."""
        open_ = [c for c in self.order if state.levels[c] > 0]
        while open_ and not self._late(1.0):
            column = max(open_, key=lambda c: score(c, state.levels[c]))
            finer = self.classes.finer(state, column, state.levels[column] - 1)
            if finer is None:
                open_.remove(column)
                continue
            state = finer
            self._judge(state)
            if state.levels[column] == 0:
                open_.remove(column)
        return state

    def _repair(self, top: State) -> None:
        """From the best scheme some columns are made coarser, and all finer again by another order."""
        tries, vain = 0, 0
        while self.best is not None and not self._late(_GREEDY_SHARE) and vain < _VAIN_TRIES:
            before, tries = self.best, tries + 1
            levels = list(self.best.chain[-1])
            for column in self.random.choice(self.order, min(1 + tries % 3, len(self.order)), replace=False):
                levels[column] = top.levels[column]
            state = self.classes.at(tuple(levels), top)
            if state is not None:
                self._greedy(state, self._scores(0.7, by_entropy=bool(tries % 2)))
            vain = vain + 1 if self.best is before else 0

    def _branch(self, state: State, depth: int) -> None:
        """Every scheme whose first `depth` columns stand as in `state`, the others at whatever level."""
        if depth == len(self.order):
            self._judge(state)
            return
        if self._late(1.0):
            self._leave(self.scoring.bound(self.measure, self._lowest(state.levels, self.order[:depth]), state))
            return
        column, fixed = self.order[depth], self.order[: depth + 1]
        least = self.floors.of(column, state.levels, self.order[:depth])
        open_: list[tuple[float, State]] = []
        current: State | None = state
        for level in range(state.levels[column], least - 1, -1):
            levels = (*state.levels[:column], level, *state.levels[column + 1 :])
            lowest = self._lowest(levels, fixed)
            if not self._worth(self.scoring.bound(self.measure, lowest, state)):
                continue
            assert current is not None  # else the loop has ended
            current = current if level == current.levels[column] else self.classes.finer(current, column, level)
            if current is None:
                break
            open_.append((self.scoring.bound(self.measure, lowest, current), current))
        for bound, child in sorted(open_, key=lambda one: one[0]):
            if self._worth(bound):
                self._branch(child, depth + 1)

    def _lowest(self, levels: tuple[int, ...], fixed: list[int]) -> tuple[int, ...]:
        """The finest that the others can be."""
        lowest = list(levels)
        for column in self.order[len(fixed) :]:
            lowest[column] = self.floors.of(column, levels, fixed)
        return tuple(lowest)

    def _worth(self, bound: float) -> bool:
        return self.best is None or bound < self.best.loss(self.measure) - _TIE

    def _leave(self, bound: float) -> None:
        self.proven, self.bound = False, min(self.bound, bound)
