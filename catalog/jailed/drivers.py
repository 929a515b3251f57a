"""Which columns drive the loss: for each, how many of the persons left out would be saved without it."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from catalog.cohorts import Codes, Ints, class_keys, form
from catalog.jailed.coding import Coded
from catalog.wire import AnonymiseOrder


class Driver(Struct, frozen=True):
    """`values`: distinct values at the coarsest level; `rare`: persons whose value fewer than k hold; `saved`."""

    column: str
    values: int
    rare: int
    saved: int


def drivers(
    order: AnonymiseOrder, dimensions: list[Coded], sensitive: list[Codes], mask: Ints, left_out: Ints
) -> list[Driver]:
    """The columns that would save most first."""
    people = np.flatnonzero(left_out)
    part = [Codes(s.codes[people], s.size) for s in sensitive]
    coarse = [Codes(c.levels[-1][c.codes[people]], len(c.shown)) for c in dimensions]
    consent = Codes(np.unique(mask[people], return_inverse=True)[1], 2**31)
    found = []
    for i, column in enumerate(dimensions):
        rest = [consent, *coarse[:i], *coarse[i + 1 :]]
        cohort, _ = form(class_keys(rest, len(people)), part, k=order.k, l=order.l, rank=np.arange(len(people)))
        counts = np.bincount(column.levels[-1][column.codes], minlength=len(column.shown))
        rare = int(counts[(counts > 0) & (counts < order.k)].sum())
        found.append(Driver(column.column.name, int((counts > 0).sum()), rare, int((cohort >= 0).sum())))
    return sorted(found, key=lambda d: (-d.saved, -d.rare, -d.values))
