"""Persons singled out are counted as a plain count would, whatever the order and the batches; then by a slice."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.pii.singling import Singles, hashed, mixed

ROWS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12)), max_size=80)


@given(ROWS, st.integers(1, 9))
def test_it_counts_what_a_dictionary_counts(rows: list[tuple[int, int]], batch: int) -> None:
    owners: dict[int, set[int]] = defaultdict(set)
    for value, person in rows:
        owners[value].add(person)
    singles = Singles()
    for begin in range(0, len(rows), batch):
        values, persons = np.array(rows[begin : begin + batch], dtype=np.uint64).T
        singles.take(mixed(values), persons)
    assert singles.exact
    assert singles.alone() == sum(len(persons) == 1 for persons in owners.values())


def test_a_slice_tells_the_rest() -> None:
    values = mixed(np.concatenate([np.arange(60_000), np.arange(20_000)]).astype(np.uint64))
    singles = Singles(most=8_000)
    for begin in range(0, len(values), 7_000):
        part = values[begin : begin + 7_000]
        singles.take(part, np.arange(begin, begin + len(part), dtype=np.uint64))
    assert not singles.exact
    assert len(singles.values) <= 8_000
    assert singles.alone() == pytest.approx(40_000, rel=0.05)


@given(st.lists(st.text(max_size=12), min_size=1, max_size=40, unique=True))
def test_texts_that_differ_hash_apart(texts: list[str]) -> None:
    array = pa.array(texts, pa.string())
    hashes = hashed(array)
    assert len(set(hashes.tolist())) == len(texts)
    assert (hashed(array.slice(len(texts) // 2)) == hashes[len(texts) // 2 :]).all()
