"""Whether rows that are left out say something of persons who stay: what it said, perhaps a no, would be lost."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from catalog.cohorts import Ints
from catalog.jailed.refused import Refused
from catalog.pii.singling import hashed
from catalog.wire import IngestOrder


class Apart:
    """Collects hashes of the subject keys of rows kept and rejected, where rows may be rejected at all."""

    def __init__(self, order: IngestOrder) -> None:
        places = [i for i, column in enumerate(order.columns) if column.required]
        self.place = places[0] if places and order.reading.max_rejected_share and order.rolling is None else None
        self.column = order.columns[places[0]].reads if places else ""
        self.kept: list[Ints] = []
        self.rejected: list[Ints] = []

    def take(self, arrays: list[pa.Array], bad: Ints) -> None:
        """One batch, and the rows of it that are rejected. A row without a key, or torn, is nobody's."""
        if self.place is None:
            return
        keys = arrays[self.place]
        there = keys.is_valid().to_numpy(zero_copy_only=False)
        left_out = np.zeros(len(keys), dtype=bool)
        left_out[bad] = True
        names = np.append(hashed(keys.dictionary), np.uint64(0))
        of = names[keys.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)]
        self.kept.append(of[there & ~left_out])
        self.rejected.append(of[there & left_out])

    def require(self) -> None:
        """Raises Refused, as for any file in which a person stands twice."""
        if not any(len(names) for names in self.rejected):
            return
        rejected = np.concatenate(self.rejected)
        again = np.isin(rejected, np.concatenate(self.kept))
        if again.any():
            persons = len(np.unique(rejected[again]))
            raise Refused("ingest.subject_twice", rows=int(again.sum()), persons=persons, column=self.column)
