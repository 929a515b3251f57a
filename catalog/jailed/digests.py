"""What was said of each person, as numbers: two versions tell by them whether anything changed."""

from __future__ import annotations

import numpy as np

from catalog.cohorts import Ints
from catalog.jailed.coding import Coded, Seen
from catalog.jailed.measures import Measure
from catalog.jailed.mixing import mix, stable


def class_numbers(dimensions: list[Coded], codes: list[Ints], count: int) -> Ints:
    """A number of each class. `codes`: of each dimension, the places among what it shows."""
    digest = np.zeros(count, dtype=np.uint64)
    for coded, places in zip(dimensions, codes, strict=True):
        numbers = np.array([stable((coded.column.name, v)) for v in coded.shown], dtype=np.uint64)
        digest = mix(digest, numbers[places])
    return digest


def digests(sensitive: list[Coded], measures: list[Measure], rows: int) -> Ints:
    """Over the sensitive values and the measures of each person."""
    digest = np.zeros(rows, dtype=np.uint64)
    for coded in sensitive:
        numbers = np.array([stable(v) for v in coded.shown], dtype=np.uint64)
        digest = mix(digest, numbers[coded.fine[coded.codes]])
    for measure in measures:
        bits = np.where(measure.present, measure.values, 0.0).view(np.uint64)
        digest = mix(mix(digest, bits), measure.present.astype(np.uint64))
    return digest


def value_numbers(sensitive: list[Coded], seen: list[Seen], rows: int) -> Ints:
    """Persons × sensitive columns: 32 bits of the value, 0 where none is shown."""
    found = np.zeros((rows, len(sensitive)), dtype=np.uint32)
    for place, (coded, values) in enumerate(zip(sensitive, seen, strict=True)):
        numbers = np.array([stable(v) >> 32 | 1 for v in coded.shown], dtype=np.uint32)
        found[:, place] = np.where(values.stays, numbers[coded.fine[coded.codes]], 0)
    return found
