"""What a lineage has shown is read back, also from books kept before there were several fallbacks."""

from __future__ import annotations

import io

import numpy as np
import pytest

from catalog.cohorts import at_levels
from catalog.past import Past, past_of, read_arrays, write_arrays
from catalog.version import LEVELS


def past() -> Past:
    data, cohorts = np.arange(6, dtype=np.int32), np.arange(2)
    return Past(
        row=data, digest=data.astype(np.uint64), cohort=data // 3, atom=data // 3, again=data > 9,
        values=np.zeros((6, 1), dtype=np.uint32), contributes=np.zeros((6, 0), dtype=bool),
        classes=cohorts.astype(np.uint64), level=np.array([0, 1], dtype=np.int8), retired=cohorts > 9,
        given=np.zeros((2, 0), dtype=bool), generation=cohorts.astype(np.int32), versions=1,
        purposes=np.array([1, 3], dtype=np.int32), core=np.zeros(0, dtype=np.uint64),
    )  # fmt: skip


def test_a_book_that_knows_only_two_levels_is_read() -> None:
    arrays = past().arrays()
    old = {name: array for name, array in arrays.items() if name != "level"} | {"coarse": arrays["level"] > 0}
    for kept in (arrays, old):
        file = io.BytesIO()
        write_arrays(file, kept)
        file.seek(0)
        read = past_of(read_arrays(file))
        assert read.level.tolist() == [0, 1]
        assert read.level.dtype == np.int8


def test_a_book_that_does_not_say_who_saw_its_cohorts_takes_each_to_be_seen_by_others() -> None:
    """So nobody of it comes back with others because of what was never known."""
    now = past()
    now.values[:] = [[7], [7], [9], [8], [8], [8]]
    read = past_of({name: array for name, array in now.arrays().items() if name not in ("purposes", "core")})
    assert read.purposes.tolist() == [-1, -2]
    assert read.core.tolist() == [7, 9, 1 << 32 | 8], "of each atom the values that it has"


@pytest.mark.parametrize("level", [-1, len(LEVELS)])
def test_a_book_with_a_level_that_no_version_has_is_not_read(level: int) -> None:
    """Whoever stood there would be found changed, and dealt afresh."""
    wrong = past().arrays() | {"level": np.array([0, level], dtype=np.int8)}
    with pytest.raises(ValueError, match="level"):
        past_of(wrong)


def test_a_place_beyond_the_last_level_is_at_the_last() -> None:
    """A manifest may have fewer levels than the one before it."""
    levels = [np.array([10, 11, 12]), np.array([20, 21, 22])]
    assert at_levels(levels, np.array([0, 1, 3])).tolist() == [10, 21, 22]
    assert at_levels(levels[:1], np.array([0, 1, 3])).tolist() == [10, 11, 12]
