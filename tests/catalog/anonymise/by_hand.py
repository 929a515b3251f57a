"""The same by the plainest means: every scheme, every person, dictionaries and loops."""

from __future__ import annotations

import io
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from catalog.anonymise.frontier import Frontier, OptimiseOrder
from catalog.jailed import optimise
from catalog.transforms import Transform, apply
from catalog.wire import AnonymiseColumn, AnonymiseOrder
from tests.catalog.plain import descriptors, stream

Shown = list[tuple[Any, ...]]


def run_optimise(order: OptimiseOrder, table: pa.Table, masks: Sequence[int]) -> Frontier:
    """The jailed program as a function."""
    with descriptors(stream(table), np.array(masks, dtype=np.int32).tobytes()) as files:
        reply = optimise.main(msgspec.msgpack.encode(order), files, io.BytesIO())
    return msgspec.msgpack.decode(reply, type=Frontier)


class Table:
    """Persons of an order, with what each level of each quasi-identifier shows of them and loses."""

    def __init__(self, order: AnonymiseOrder, table: pa.Table, masks: Sequence[int]) -> None:
        self.order = order
        inside = [i for i, mask in enumerate(masks) if mask]
        self.masks = [masks[i] for i in inside]
        rows = [table.to_pylist()[i] for i in inside]
        self.columns = [c for c in order.columns if c.role == "quasi-identifier"]
        self.values = {c.name: [r[c.name] for r in rows] for c in self.columns}
        self.sensitive = [[r[c.name] for r in rows] for c in order.columns if c.role == "sensitive"]
        for column in self.sensitive:
            held = Counter(column)
            column[:] = [v if held[v] >= order.k else None for v in column]

    def shown(self, transforms: Sequence[Transform | None]) -> Shown:
        columns = [
            apply(t, self.values[c.name], self.order.hierarchies)
            for c, t in zip(self.columns, transforms, strict=True)
        ]
        return [(self.masks[i], *(c[i] for c in columns)) for i in range(len(self.masks))]

    def holding(self, shown: Shown, people: Sequence[int]) -> dict[tuple[Any, ...], list[int]]:
        """Classes of `people` that have k persons and ℓ values."""
        classes = defaultdict(list)
        for i in people:
            classes[shown[i]].append(i)
        return {
            key: members
            for key, members in classes.items()
            if len(members) >= self.order.k
            and all(len({s[i] for i in members} - {None}) >= self.order.l for s in self.sensitive)
        }

    def scheme(self, *levels: Sequence[Transform | None]) -> dict[str, Any]:
        """What a scheme of these levels gives: as `Node`."""
        rest, classes, stands, loss = set(range(len(self.masks))), [], [], 0.0
        for level in levels:
            held = list(self.holding(self.shown(level), sorted(rest)).values())
            stands.append({i for members in held for i in members})
            classes += held
            rest -= stands[-1]
            loss += sum(self._loss(level, i) for i in stands[-1])
        lost = len(rest)
        loss += lost
        return {
            "k": min((len(c) for c in classes), default=len(self.masks)), "lost": lost, "t": self._t(classes),
            "ncp": loss / len(self.masks), "classes": len(classes), "fine": len(stands[0]),
            "discernibility": sum(len(c) ** 2 for c in classes) + lost * len(self.masks),
            "l": min((len({s[i] for i in c} - {None}) for c in classes for s in self.sensitive), default=None),
        }  # fmt: skip

    def _t(self, classes: list[list[int]]) -> float:
        worst = 0.0
        for column in self.sensitive:
            whole = Counter(column[i] for c in classes for i in c if column[i] is not None)
            for members in classes:
                mine = Counter(column[i] for i in members if column[i] is not None)
                apart = [
                    abs(mine[v] / max(mine.total(), 1) - whole[v] / whole.total()) for v in whole
                ] if mine else [2.0]  # fmt: skip
                worst = max(worst, sum(apart) / 2)
        return worst

    def _loss(self, transforms: Sequence[Transform | None], person: int) -> float:
        each = [self._cell(c, t, person) for c, t in zip(self.columns, transforms, strict=True)]
        return sum(each) / len(each)

    def _cell(self, column: AnonymiseColumn, transform: Transform | None, person: int) -> float:
        if transform is not None and transform.drop:
            return 1.0
        values = self.values[column.name]
        distinct = set(values)
        shown = dict(zip(distinct, apply(transform, list(distinct), self.order.hierarchies), strict=True))
        group = {v for v in distinct if shown[v] == shown[values[person]]}
        if column.type == "VARCHAR":
            return (len(group) - 1) / max(len(distinct) - 1, 1)
        numbers, mine = distinct - {None}, group - {None}
        if values[person] is None or max(numbers) == min(numbers):
            return 0.0
        return float((max(mine) - min(mine)) / (max(numbers) - min(numbers)))


def every_scheme(ladders: Sequence[Sequence[Transform | None]]) -> Iterator[tuple[Transform | None, ...]]:
    return itertools.product(*ladders)
