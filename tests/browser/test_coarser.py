"""How a column was made coarser, told to whoever reads the dataset's page."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from catalog.hierarchy import TRUNCATIONS
from catalog.transforms import Transform, describe
from marketplace.texts import Language
from marketplace.web.coarser import coarser

EVERY = (
    None,
    Transform(drop=True),
    Transform(bins=(35, 50)),
    Transform(groups={"a": ("x", "y"), "b": ("z",)}),
    Transform(hierarchy="tinh", level=2),
    *(msgspec.convert({"truncate": unit}, Transform) for unit in TRUNCATIONS),
    Transform(clamp=(0, 90)),
    Transform(top_code=90),
    Transform(bottom_code=18),
    Transform(bottom_code=18, top_code=90),
)


@pytest.mark.parametrize("transform", EVERY, ids=describe)
def test_every_transform_is_told_in_words_of_each_language(transform: Transform | None) -> None:
    told = {coarser(describe(transform), language) for language in get_args(Language)}
    assert len(told) == 2
    assert describe(transform) not in told


def test_levels_are_told_one_by_one_and_what_is_none_of_ours_as_it_is() -> None:
    assert coarser("4 groups | drop | new 7", "vi") == "gộp thành 4 nhóm | để trống | new 7"
