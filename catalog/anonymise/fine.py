"""Finer levels before a scheme: who is alike there is shown so, the others as the next says (local recoding).

Which finer level is best cannot be bounded as schemes of one level can: a finer step helps those whom it keeps and
sends the others on. So each is climbed to step by step, by the step that wins most, and put before the ones found.
At last single cells are left empty (local suppression): a level that shows all as the finest, but one column.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from catalog.anonymise.frontier import LossMeasure
from catalog.anonymise.lattice import Classes, State
from catalog.anonymise.scoring import Scored, Scoring
from catalog.cohorts import Codes, Ints, class_keys, distinct_values
from catalog.version import MAX_FALLBACKS

_WORTH = 0.01
"""A level more must win this share of the loss: each makes the data harder to read."""


@dataclass(frozen=True, slots=True)
class _Level:
    """A level that is settled: its scheme, and the class of every row of Finest in it (−1: none)."""

    levels: tuple[int, ...]
    ids: Ints
    classes: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Who stands at a level: rows, and their classes, numbered from 0."""

    levels: tuple[int, ...]
    rows: Ints
    ids: Ints
    classes: int


class Fine:
    """Finds the finer levels of a scheme, at most `most` of them. `late`: whether time is up."""

    def __init__(
        self, classes: Classes, scoring: Scoring, *, measure: LossMeasure, t: float | None, pinned: frozenset[int],
        most: int, late: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.classes, self.scoring, self.measure, self.t, self.pinned = classes, scoring, measure, t, pinned
        # The bands of a measure are told at the finest level only, so there is one such level.
        self.most, self.late = 1 if pinned else most, late

    def before(self, coarse: State) -> Scored | None:
        """The best found; None where the pinned columns alone break what holds."""
        front, behind = coarse, [self._level(coarse)] if self.pinned else []
        for column in sorted(self.pinned):
            front = self._finer(front, column, 0)
        best = self._score(front, behind) if self.pinned else self._alone(coarse)
        if best is None:
            return None
        for _ in range(self.most):
            settled = behind if self.pinned else [self._level(front), *behind]
            finer, found = self._climb(front, settled, best)
            if not self._worth(found, best):
                break
            best, front, behind = found, finer, settled
        return self._blanked(front, behind, best)

    def _worth(self, found: Scored, best: Scored) -> bool:
        return found.loss(self.measure) < (1 - _WORTH) * best.loss(self.measure)

    def _blanked(self, front: State, behind: list[_Level], best: Scored) -> Scored:
        """Between the finest level and the next: the same but for one cell, left empty where that wins most."""
        while len(best.chain) <= MAX_FALLBACKS and not self.late():
            tried = [
                (scored, [level, *behind])
                for column in range(len(front.levels))
                if (level := self._blank(front, behind, column)) is not None
                and (scored := self._score(front, [level, *behind])) is not None
            ]
            found, after = min(tried, key=lambda one: one[0].loss(self.measure), default=(best, behind))
            if not self._worth(found, best):
                break
            best, behind = found, after
        return best

    def _blank(self, front: State, behind: list[_Level], column: int) -> _Level | None:
        """Classes of those who stand at no finer level; None where the column is empty already, or time is up."""
        tops = [len(ladder) - 1 for ladder in self.classes.finest.ladders]
        levels = tuple(
            tops[c] if c == column or c in self.pinned else level for c, level in enumerate(front.levels)
        )
        if levels == front.levels or any(levels == level.levels for level in behind) or self.late():
            return None
        rows = np.concatenate([np.empty(0, dtype=np.int32), *front.dead])
        finest = self.classes.finest
        keys = [Codes(finest.fixed[rows], int(finest.fixed.max()) + 1)] + [
            Codes(ladder.groups[level][codes[rows]].astype(np.int64), ladder.sizes[level])
            for ladder, codes, level in zip(finest.ladders, finest.codes, levels, strict=True)
        ]
        found, own = np.unique(class_keys(keys, len(rows)), return_inverse=True)
        ids = np.full(len(finest), -1, dtype=np.int64)
        ids[rows] = own
        return _Level(levels, ids, len(found))

    def _alone(self, coarse: State) -> Scored | None:
        scored = self.scoring.one_level(coarse)
        return None if self.t is not None and scored.t is not None and scored.t > self.t else scored

    def _level(self, state: State) -> _Level:
        ids = np.full(len(self.classes.finest), -1, dtype=np.int64)
        ids[slice(None) if state.rows is None else state.rows] = state.ids
        return _Level(state.levels, ids, state.classes)

    def _climb(self, state: State, settled: list[_Level], best: Scored) -> tuple[State, Scored]:
        """The finer level, step by step. What a step promised before is an upper guess of what it wins now."""
        columns = [c for c in range(len(state.levels)) if c not in self.pinned and state.levels[c] > 0]
        promise = dict.fromkeys(columns, np.inf)
        while promise and not self.late():
            column = max(promise, key=lambda c: promise[c])
            finer = self._finer(state, column, state.levels[column] - 1)
            scored = self._score(finer, settled)
            won = best.loss(self.measure) - scored.loss(self.measure) if scored is not None else -np.inf
            others = max((p for c, p in promise.items() if c != column), default=-np.inf)
            if won <= 0:
                del promise[column]
            elif won < others:
                promise[column] = won
            else:
                assert scored is not None  # it won
                state, best = finer, scored
                promise[column] = np.inf
                if state.levels[column] == 0:
                    del promise[column]
        return state, best

    def _finer(self, state: State, column: int, level: int) -> State:
        finer = self.classes.finer(state, column, level, lost=np.inf)
        assert finer is not None  # any number may be left out here
        return finer

    def _score(self, front: State, settled: list[_Level]) -> Scored | None:
        """None where too many are left out or t does not hold."""
        finest, scoring = self.classes.finest, self.scoring
        rows = np.arange(len(finest), dtype=np.int32) if front.rows is None else front.rows
        parts = [_Part(front.levels, rows, front.ids, front.classes)]
        rest = np.concatenate([np.empty(0, dtype=np.int32), *front.dead])
        for level in settled:
            part, rest = self._stand(level, rest)
            parts.append(part)
        lost = int(finest.weighed(rest).sum())
        if lost > self.classes.lost:
            return None
        l, t = scoring.spread_of(*_together(parts))
        if self.t is not None and t is not None and t > self.t:
            return None
        sizes = np.concatenate([np.bincount(p.ids, finest.weighed(p.rows), p.classes) for p in parts])
        ncp = scoring.ncp(front.levels, front.dead, 0) + lost / finest.total
        ncp += sum(scoring.rows_lose(p.levels, p.rows) for p in parts[1:])
        return Scored(
            chain=tuple(p.levels for p in parts), k=int(sizes.min(initial=finest.total)), l=l, t=t, ncp=ncp,
            discernibility=float((sizes**2).sum()) + float(lost) * finest.total, classes=len(sizes),
            lost=lost, fine_persons=finest.total - front.lost, total=finest.total,
        )  # fmt: skip

    def _stand(self, level: _Level, rows: Ints) -> tuple[_Part, Ints]:
        """Those of `rows` who are enough of a class among themselves at that level, and those who are not."""
        finest = self.classes.finest
        own = level.ids[rows]
        inside = own >= 0
        there, own = rows[inside], own[inside]
        alive = np.bincount(own, finest.weighed(there), level.classes) >= self.classes.k
        for column in finest.sensitive:
            values = distinct_values(own, column.codes[there], level.classes, column.size)
            alive &= values >= self.classes.l
        stays = alive[own]
        number = np.cumsum(alive, dtype=np.int64) - 1
        part = _Part(level.levels, there[stays], number[own[stays]], int(alive.sum()))
        return part, np.concatenate([rows[~inside], there[~stays]])


def _together(parts: list[_Part]) -> tuple[Ints, int, Ints]:
    begins = np.cumsum([0, *(p.classes for p in parts)])
    ids = np.concatenate([p.ids + begin for p, begin in zip(parts, begins[:-1], strict=True)])
    return ids, int(begins[-1]), np.concatenate([p.rows for p in parts])
