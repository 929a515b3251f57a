"""A sample that shows the shape of the data and holds nobody: columns drawn apart, real records refused."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence

from catalog.cohorts import Codes, class_keys
from catalog.jailed.coding import Coded
from catalog.jailed.forming import Formed, Persons
from catalog.jailed.measures import Measure
from catalog.jailed.parts import Finished
from catalog.wire import AnonymiseOrder

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
    both = [Codes(np.concatenate([r.codes, d]), r.size) for r, d in zip(real, drawn, strict=True)]
    keys = class_keys(both, len(both[0].codes))
    taken, made = keys[:-_DRAWS], keys[-_DRAWS:]
    free = np.flatnonzero(~np.isin(made, taken))
    _, first = np.unique(made[free], return_index=True)
    chosen = free[np.sort(first)][:SAMPLE_ROWS]
    rows = [
        {c.column.name: _plain(_value(c, int(d[i]))) for c, d in zip(columns, drawn, strict=True)} for i in chosen
    ]
    for row in rows:
        row |= {m.name: _measure(m, random) for m in persons.measures if not m.of}
    return rows


def _value(column: Coded, code: int) -> Any:
    return column.shown[code] if code < len(column.shown) else None


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime.date) else value


def _measure(measure: Measure, random: Generator) -> float:
    """Anything within the clamp, which the manifest has said already: no person's figure."""
    return round(float(random.uniform(measure.low, measure.high)), 1)
