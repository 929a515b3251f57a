"""Names of 16 bytes in their order, whatever they begin with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import subjects
from catalog.subjects import find_ascending, sort_order

_HALVES = st.tuples(st.sampled_from([0, 1, 2**64 - 1]), st.integers(0, 3))


@given(st.lists(_HALVES, max_size=40))
def test_names_that_share_their_beginning_are_sorted_as_byte_strings_the_first_of_equals_first(
    halves: list[tuple[int, int]],
) -> None:
    names = [high.to_bytes(8, "big") + low.to_bytes(8, "big") for high, low in halves]
    array = np.frombuffer(b"".join(names), dtype=np.uint8).reshape(-1, 16)
    assert sort_order(array).tolist() == sorted(range(len(names)), key=lambda row: names[row])


@given(st.sets(_HALVES, max_size=20), st.lists(_HALVES, max_size=20), st.integers(1, 4))
def test_names_are_found_among_ascending_ones_a_stretch_at_a_time(
    there: set[tuple[int, int]], wanted: list[tuple[int, int]], stretch: int
) -> None:
    names, asked = (sorted(high.to_bytes(8, "big") + low.to_bytes(8, "big") for high, low in each)
                    for each in (there, wanted))  # fmt: skip
    arrays = [np.frombuffer(b"".join(each), dtype=np.uint8).reshape(-1, 16) for each in (names, asked)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subjects, "_STRETCH", stretch)
        found = find_ascending(*arrays)
    assert found.tolist() == [names.index(each) if each in names else -1 for each in asked]
