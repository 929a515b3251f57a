"""dp mode: how much a jail's answer may hold. No honest one comes near a limit, whatever the records are.

To fail at a number of groups, or of bytes, would tell that number exactly and for no ρ. So where nobody declared
the keys, groups of few records stay in the jail: `persons_at_most` can then make no more than there is room and
time for. The count from which a group is shown is reckoned from there (`noise.threshold_of`).
"""

from __future__ import annotations

import dataclasses

import msgspec

from sandbox.isolation.answer import TEXT_BYTES_A_RECORD, TEXT_FREE_BYTES
from sandbox.job import Limits
from sandbox.plan.tree import Cast, Constant, Operation, Query, Select
from sandbox.plan.types import BIGINT, BOOLEAN

from .dp import NUMBERS, Release
from .keys import SHOWN_BYTES

JAIL_BYTES = 64 * 1024 * 1024
_CELL_BYTES = JAIL_BYTES * 3 // 4
"""The rest is for what Arrow writes beside values."""
_VALUE_BYTES = 24
"""More than a number takes, its place among the NULLs and a text's offset."""


def fewest(release: Release, persons_at_most: int) -> int:
    """Records from which on a group that nobody declared leaves the jail; 1: any group does."""
    if release.presence is None:
        return 1
    by_numbers = -(-persons_at_most * release.width // NUMBERS)
    by_bytes = -(-persons_at_most * _cell_bytes(release) // _CELL_BYTES)
    return max(1, by_numbers, by_bytes)


def room(release: Release, persons_at_most: int, limits: Limits) -> Limits:
    """The limits of the jail's own answer."""
    groups = release.cells
    if groups is None:
        groups = persons_at_most // fewest(release, persons_at_most)
    more = sum(max(size - TEXT_FREE_BYTES, 0) // TEXT_BYTES_A_RECORD for size in _text_bytes(release))
    return msgspec.structs.replace(limits, max_rows=groups * (1 + more), max_bytes=JAIL_BYTES)


def within_room(tree: Query, release: Release, persons_at_most: int) -> Query:
    """The jail's query without the groups that stay in it."""
    least = fewest(release, persons_at_most)
    if least == 1 or release.presence is None:
        return tree
    assert isinstance(tree, Select)  # as `dp.over_persons` makes it
    count = tree.items[len(release.keys) + presence_at(release)].expression
    shown = (count, Cast(BIGINT, Constant(BIGINT, str(least))))
    return dataclasses.replace(tree, having=Operation(BOOLEAN, ">=", shown))


def presence_at(release: Release) -> int:
    """Where among a group's numbers its records are counted."""
    return sum(measure.width for measure in release.measures[: release.presence])


def _cell_bytes(release: Release) -> int:
    return _VALUE_BYTES * len(release.measured) + sum(_text_bytes(release))


def _text_bytes(release: Release) -> list[int]:
    """Most that each text key takes."""
    texts = (key for key, column in zip(release.keys, release.measured, strict=False) if column.type == "VARCHAR")
    return [SHOWN_BYTES if key.domain is None else key.longest for key in texts]
