"""Writing the book of a lineage: right for each person, in not much more memory than the book itself."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from catalog.history import follow
from catalog.intake import Intake
from catalog.making import Made, MadePart
from catalog.subjects import sort_order
from catalog.wire import AnonymiseReply, IngestReply

PERSONS, COHORTS = 120_000, 10_000


def made_of(cohort: np.ndarray, digest: np.ndarray) -> Made:
    """A first version: every person in a cohort, one sensitive column."""
    none = np.empty(0, dtype=np.int32)
    return Made(
        parts=(MadePart(path=Path("part"), sha256="", rows=PERSONS, mask=1),), cohort=cohort, digest=digest,
        values=(digest % np.uint64(9)).astype(np.uint32)[:, None], contributes=np.zeros((PERSONS, 0), dtype=bool),
        kinds=None, ranges=np.zeros((COHORTS, 3), dtype=np.int64), classes=np.arange(COHORTS, dtype=np.uint64),
        level=np.zeros(COHORTS, dtype=np.int8), given=np.zeros((COHORTS, 0), dtype=bool), lives=none,
        fate=none.astype(np.int8), number=none, visible={}, reply=AnonymiseReply(persons=PERSONS, cohorts=COHORTS),
    )  # fmt: skip


@pytest.mark.parametrize(("narrow", "most_bytes"), [(False, 82), (True, 86)])
def test_the_first_book_of_many_persons_is_written_in_little_more_than_it_holds(
    narrow: bool, most_bytes: int
) -> None:
    chance = np.random.default_rng(7)
    names = chance.integers(0, 256, (PERSONS, 16)).astype(np.uint8)
    cohort = chance.permutation(np.arange(PERSONS) % COHORTS).astype(np.int32)
    made = made_of(cohort, chance.integers(0, 2**63, PERSONS).astype(np.uint64))
    order = sort_order(names)
    intake = Intake(
        rows=PERSONS, persons=Path("persons"), pseudonyms=names, ascending=order, flags={}, digest=b"",
        reply=IngestReply(rows=PERSONS),
    )  # fmt: skip
    tracemalloc.start()
    book, waiting = follow(None, made, intake, np.ones(PERSONS, np.int32), 1, b"", narrow=narrow)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert waiting == ()
    assert (book.names == names[order]).all()
    assert (book.past.cohort == cohort[order]).all()
    assert (book.past.atom == book.past.cohort).all(), "a first version's cohort is its own atom"
    assert (book.past.digest == made.digest[order]).all()
    assert peak_bytes / PERSONS < most_bytes
