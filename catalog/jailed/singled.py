"""Pairs of plain columns that single persons out in what a version shows (rows mode)."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from catalog.jailed.forming import Formed, Persons
from catalog.pii.order import MOST_PAIRED, DetectedPair


def singled_out(persons: Persons, formed: Formed) -> tuple[DetectedPair, ...]:
    """Of each pair of sensitive columns without transform the share of those shown who alone have both values.

    A value by itself is shown only where k persons hold it; two values together may still be one person's.
    """
    shown = np.flatnonzero(formed.cohort >= 0)
    plain = [
        (coded, seen) for coded, seen in zip(persons.sensitive, formed.seen, strict=True)
        if coded.column.fine is None
    ]  # fmt: skip
    found = []
    for (one, of_one), (other, of_other) in combinations(plain[:MOST_PAIRED], 2):
        told = shown[of_one.stays[shown] & of_other.stays[shown]]
        keys = of_one.codes.codes[told].astype(np.int64) * of_other.codes.size + of_other.codes.codes[told]
        alone = int((np.unique(keys, return_counts=True)[1] == 1).sum())
        found.append(
            DetectedPair(
                first=one.column.name, second=other.column.name, singles=round(alone / max(1, len(shown)), 6),
                persons=len(shown),
            )
        )  # fmt: skip
    return tuple(found)
