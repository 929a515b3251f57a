"""Columns as small integers: distinct values coded once, transforms applied to the distinct values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from catalog.cohorts import MISSING, Codes, Ints
from catalog.jailed.cells import ARROW
from catalog.jailed.mixing import stable
from catalog.jailed.refused import Refused
from catalog.transforms import UNMAPPED, Transform, apply, number_text
from catalog.wire import AnonymiseColumn

NEVER: Final = 2**31 - 1
"""The version that shows a rare value."""


@dataclass(frozen=True, slots=True)
class Coded:
    """A column: each person's code of the original value, and what that value is shown as at each level.

    `shown`: the values that may be published, sorted, None first; `levels`: of each level a code's place there.
    """

    column: AnonymiseColumn
    type: str
    codes: Ints
    shown: list[Any]
    levels: list[Ints]

    @property
    def fine(self) -> Ints:
        return self.levels[0]

    def level(self, number: int) -> Ints:
        """A code's place at that level; the last one's where the column has fewer."""
        return self.levels[min(number, len(self.levels) - 1)]

    def at(self, level: Ints) -> Codes:
        """Each person's code of the shown value."""
        return Codes(level[self.codes], len(self.shown))


def code_column(column: AnonymiseColumn, data: pa.ChunkedArray, hierarchies: dict[str, str]) -> Coded:
    """Code a quasi-identifier or sensitive column. Raises Refused for values that no group names."""
    codes, values = distinct(data)
    levels = [apply(transform, values, hierarchies) for transform in (column.fine, *column.coarser)]
    _require_mapped(column, codes, levels)
    kind = shown_type(column)
    if kind == "VARCHAR" and column.type != "VARCHAR":
        levels = [_texts(level) for level in levels]
    shown = sorted({v for level in levels for v in level}, key=lambda v: (v is not None, v))
    place = {v: i for i, v in enumerate(shown)}
    return Coded(
        column, kind, codes, shown, [np.array([place[v] for v in level], dtype=np.int32) for level in levels]
    )


def shown_type(column: AnonymiseColumn) -> str:
    """The type in the parts: text as soon as one level makes text of the values."""
    levels: tuple[Transform | None, ...] = (column.fine, *column.coarser)
    return "VARCHAR" if any(t is not None and t.makes_text for t in levels) else column.type


def _texts(values: list[Any]) -> list[Any]:
    return [
        v if v is None or isinstance(v, str) else number_text(v) if isinstance(v, float) else str(v)
        for v in values
    ]


def distinct(data: pa.ChunkedArray) -> tuple[Ints, list[Any]]:
    """Codes and the values that they stand for; the empty cell has a code of its own, if there is any."""
    if pa.types.is_dictionary(data.type):
        data = data.unify_dictionaries()
        values = data.chunk(0).dictionary.to_pylist() if data.num_chunks else []
        pieces = [_indices(chunk.indices, len(values)) for chunk in data.chunks]
    else:
        encoded = data.dictionary_encode()
        values = encoded.chunk(0).dictionary.to_pylist() if encoded.num_chunks else []
        pieces = [_indices(chunk.indices, len(values)) for chunk in encoded.chunks]
    codes = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int32)
    codes, values = _held(codes, values)
    return codes, [*values, None]


def _held(codes: Ints, values: list[Any]) -> tuple[Ints, list[Any]]:
    """Without values that nobody has: a row that was left out held them."""
    there = np.bincount(codes, minlength=len(values) + 1)[:-1] > 0
    if there.all():
        return codes, values
    places = np.append(np.cumsum(there) - 1, there.sum()).astype(np.int32)
    return places[codes], [value for value, held in zip(values, there, strict=True) if held]


def _indices(indices: pa.Array, missing: int) -> Ints:
    result: Ints = indices.fill_null(missing).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return result


def _require_mapped(column: AnonymiseColumn, codes: Ints, levels: list[list[Any]]) -> None:
    lost = np.array([any(level[i] is UNMAPPED for level in levels) for i in range(len(levels[0]))])
    if lost.any():
        used = np.unique(codes)
        raise Refused("publication.unmapped_values", column=column.name, values=int(lost[used].sum()),
                      persons=int(lost[codes].sum()))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seen:
    """A sensitive column without rare values: one that fewer than k persons hold would name them.

    `codes`: for ℓ, MISSING where nothing is shown; `stays`: whether a person's value is shown; `blanked`: cells
    that are not, though there is a value; `since`: stable number of a value → the version that shows it first.
    """

    codes: Codes
    stays: Ints
    blanked: int
    since: dict[int, int]


def seen_values(coded: Coded, k: int, *, first: Ints, new: Ints, version: int, before: dict[int, int]) -> Seen:
    """`first`: the version that showed each person first; `new`: who was in none before this one.

    Who was shown with an empty cell keeps it, though others may have the same value by now: else one newcomer, who
    waits unseen, would fill the cells of k − 1 others. So a value counts from the version on that shows it.
    """
    code = coded.fine[coded.codes]
    counts = np.bincount(code[new], minlength=len(coded.shown))
    numbers = [stable(v) for v in coded.shown]
    since = np.array([before.get(n, version if c >= k else NEVER) for n, c in zip(numbers, counts, strict=True)])
    empty = np.array([v is None for v in coded.shown])
    stays = (since[code] <= first) & ~empty[code]
    blanked = int((~stays & ~empty[code]).sum())
    known = {n: int(s) for n, s, e in zip(numbers, since, empty, strict=True) if s != NEVER and not e}
    return Seen(
        Codes(np.where(stays, code, MISSING).astype(np.int32), len(coded.shown)), stays, blanked, before | known
    )


def arrow_values(coded: Coded) -> pa.Array:
    """The shown values as an Arrow array of the published type."""
    return pa.array(coded.shown, ARROW[coded.type])
