"""A finer level before a scheme: who is alike there is shown so, the others as the scheme says (local recoding).

Which finer level is best cannot be bounded as schemes of one level can: a finer step helps those whom it keeps and
sends the others back. So it is climbed to step by step, each the one that wins most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from catalog.anonymise.frontier import LossMeasure
from catalog.anonymise.lattice import Classes, State
from catalog.anonymise.scoring import Scored, Scoring
from catalog.cohorts import Ints, distinct_values


@dataclass(frozen=True, slots=True)
class _Rest:
    """Who does not stand at the fine level: `rows` and `ids` of those who stand coarse, persons `lost`."""

    rows: Ints
    ids: Ints
    classes: int
    dead: Ints
    lost: int


class Fine:
    """Finds the fine level of a scheme. `late`: whether time is up."""

    def __init__(
        self, classes: Classes, scoring: Scoring, *, measure: LossMeasure, t: float | None, pinned: frozenset[int],
        late: Callable[[], bool],
    ) -> None:  # fmt: skip
        self.classes, self.scoring, self.measure, self.t, self.pinned = classes, scoring, measure, t, pinned
        self.late = late

    def before(self, coarse: State) -> Scored | None:
        """The best found; None where the pinned columns alone break what holds."""
        ids = np.full(len(self.classes.finest), -1, dtype=np.int64)
        ids[slice(None) if coarse.rows is None else coarse.rows] = coarse.ids
        state = coarse
        for column in sorted(self.pinned):
            state = self._finer(state, column, 0)
        best = self._score(state, coarse, ids)
        if best is None:
            return None
        columns = [c for c in range(len(coarse.levels)) if c not in self.pinned]
        promise = {c: np.inf for c in columns if state.levels[c] > 0}
        while promise and not self.late():
            column = max(promise, key=lambda c: promise[c])
            finer = self._finer(state, column, state.levels[column] - 1)
            scored = self._score(finer, coarse, ids)
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
        return best

    def _finer(self, state: State, column: int, level: int) -> State:
        finer = self.classes.finer(state, column, level, lost=np.inf)
        assert finer is not None  # any number may be left out here
        return finer

    def _score(self, fine: State, coarse: State, ids: Ints) -> Scored | None:
        """None where too many are left out or t does not hold."""
        rest = self._rest(fine, coarse, ids)
        if rest.lost > self.classes.lost:
            return None
        scoring, finest = self.scoring, self.classes.finest
        l, t = scoring.spread_of(*self._together(fine, rest))
        if self.t is not None and t is not None and t > self.t:
            return None
        sizes = np.concatenate([
            np.bincount(fine.ids, finest.weighed(fine.rows), fine.classes),
            np.bincount(rest.ids, finest.weighed(rest.rows), rest.classes),
        ])  # fmt: skip
        lost_share = rest.lost / finest.total
        ncp = scoring.ncp(fine.levels, fine.dead, 0) + scoring.rows_lose(coarse.levels, rest.rows) + lost_share
        return Scored(
            fine=fine.levels, coarse=coarse.levels, k=int(sizes.min(initial=finest.total)), l=l, t=t, ncp=ncp,
            discernibility=float((sizes**2).sum()) + float(rest.lost) * finest.total, classes=len(sizes),
            lost=rest.lost, fine_persons=finest.total - fine.lost, total=finest.total,
        )  # fmt: skip

    def _rest(self, fine: State, coarse: State, ids: Ints) -> _Rest:
        finest = self.classes.finest
        rows = np.concatenate([np.empty(0, dtype=np.int32), *fine.dead[len(coarse.dead) :]])
        own = ids[rows]
        weight = finest.weighed(rows)
        alive = np.bincount(own, weight, coarse.classes) >= self.classes.k
        for column in finest.sensitive:
            alive &= distinct_values(own, column.codes[rows], coarse.classes, column.size) >= self.classes.l
        stays = alive[own]
        number = np.cumsum(alive, dtype=np.int64) - 1
        return _Rest(
            rows=rows[stays], ids=number[own[stays]], classes=int(alive.sum()), dead=rows[~stays],
            lost=coarse.lost + int(weight[~stays].sum()),
        )  # fmt: skip

    def _together(self, fine: State, rest: _Rest) -> tuple[Ints, int, Ints]:
        rows = np.arange(len(self.classes.finest), dtype=np.int32) if fine.rows is None else fine.rows
        return (
            np.concatenate([fine.ids, rest.ids + fine.classes]), fine.classes + rest.classes,
            np.concatenate([rows, rest.rows]),
        )  # fmt: skip
