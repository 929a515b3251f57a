"""Names of 16 bytes in their order, whatever they begin with."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from catalog.subjects import sort_order

_HALVES = st.tuples(st.sampled_from([0, 1, 2**64 - 1]), st.integers(0, 3))


@given(st.lists(_HALVES, max_size=40))
def test_names_that_share_their_beginning_are_sorted_as_byte_strings_the_first_of_equals_first(
    halves: list[tuple[int, int]],
) -> None:
    names = [high.to_bytes(8, "big") + low.to_bytes(8, "big") for high, low in halves]
    array = np.frombuffer(b"".join(names), dtype=np.uint8).reshape(-1, 16)
    assert sort_order(array).tolist() == sorted(range(len(names)), key=lambda row: names[row])
