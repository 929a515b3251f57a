"""A sample that shows the shape of the data and holds nobody: columns drawn apart, real records refused.

Refused are the records of the files and those of everybody else who consents, as they would be shown at any level:
who is left out or waits is nobody's example either. So what is missing from a sample could tell of them; where few
combinations are free, no more than half of those are shown, and none that is missing says anything.
"""

from __future__ import annotations

import datetime
import math
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from catalog.cohorts import Codes, Ints, class_keys
from catalog.jailed.coding import Coded
from catalog.jailed.forming import Formed, Persons
from catalog.jailed.parts import Finished
from catalog.wire import AnonymiseColumn, AnonymiseOrder

SAMPLE_ROWS = 20
_DRAWS = 2_000


def sample(order: AnonymiseOrder, persons: Persons, formed: Formed, finished: Finished) -> list[dict[str, Any]]:
    """Up to SAMPLE_ROWS generated rows; none equals a released record in what is drawn. Fewer, even none, where
    the columns leave no combination free. In aggregate mode a row is a made-up person within the clamps."""
    random = Generator(PCG64(SeedSequence(int.from_bytes(order.seed[::-1], "big"))))
    real = [
        Codes(codes, len(c.shown)) for c, codes in zip(persons.dimensions, finished.dimension_codes, strict=True)
    ]
    columns = list(persons.dimensions)
    if order.mode == "rows":
        sizes = finished.ranges[:, 2] - finished.ranges[:, 1]
        real = [Codes(np.repeat(r.codes, sizes), r.size) for r in real]
        columns += persons.sensitive
        for c, seen in zip(persons.sensitive, formed.seen, strict=True):
            shown = c.fine[c.codes[finished.order]]
            empty = next((i for i, v in enumerate(c.shown) if v is None), len(c.shown))
            real.append(Codes(np.where(seen.stays[finished.order], shown, empty), len(c.shown) + 1))
    drawn = [random.choice(np.unique(r.codes), _DRAWS) for r in real]
    free = _free([r.codes for r in real], drawn, [r.size for r in real])
    for level in range(order.level_count):
        of = [*([level] * len(persons.dimensions)), *([0] * len(columns))]
        own = [c.level(at)[c.codes] for c, at in zip(columns, of, strict=False)]
        free &= _free(own, drawn, [r.size for r in real])
    made = class_keys([Codes(d, r.size) for d, r in zip(drawn, real, strict=True)], _DRAWS)
    chosen = np.sort(np.unique(made, return_index=True)[1])
    chosen = chosen[free[chosen]]
    chosen = chosen[: min(SAMPLE_ROWS, len(chosen) // 2)]
    rows = [
        {c.column.name: _plain(_value(c, int(d[i]))) for c, d in zip(columns, drawn, strict=True)} for i in chosen
    ]
    for row in rows:
        row |= {c.name: _measure(c, random) for c in order.columns if c.role == "measure"}
    return rows


def _free(real: list[Ints], drawn: list[Ints], sizes: list[int]) -> Ints:
    """Which of the drawn rows are nobody's."""
    both = [Codes(np.concatenate([r, d]), size) for r, d, size in zip(real, drawn, sizes, strict=True)]
    keys = class_keys(both, len(both[0].codes))
    result: Ints = ~np.isin(keys[-_DRAWS:], keys[:-_DRAWS])
    return result


def _value(column: Coded, code: int) -> Any:
    return column.shown[code] if code < len(column.shown) else None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


def _measure(column: AnonymiseColumn, random: Generator) -> float:
    """Anything of its type within the clamp, which the manifest has said already: no person's figure."""
    assert column.fine is not None  # a manifest without clamp is refused
    assert column.fine.clamp is not None
    low, high = column.fine.clamp
    drawn = float(random.uniform(low, high))
    return (
        min(max(math.floor(drawn), math.ceil(low)), math.floor(high))
        if column.type == "BIGINT"
        else round(drawn, 1)
    )
