"""A population of nobody: each person follows from her number and a seed, so registers agree without meeting."""

from __future__ import annotations

import functools
import math
from typing import Final

import numpy as np
import pyarrow as pa
from msgspec import Struct
from numpy.typing import NDArray
from pyarrow import compute
from vietnam_provinces import Province

Ints = NDArray[np.int64]
Shares = NDArray[np.float64]

PERSONS: Final = 107_000_000
"""At scale 1."""
TODAY: Final = np.datetime64("2026-01-01")
_ADULTS: Final = 0.73
_KEYS: Final = 10**11 - 23
"""A prime: numbers below it are dealt to persons without a collision and without an order."""
_LARGE: Final = {
    "Thành phố Hồ Chí Minh": 14.0, "Thành phố Hà Nội": 8.7, "Thành phố Hải Phòng": 4.7, "Đồng Nai": 4.4,
    "Thanh Hóa": 4.3, "Bắc Ninh": 3.6, "An Giang": 3.7, "Ninh Bình": 3.8, "Nghệ An": 3.5, "Đắk Lắk": 2.9,
}  # fmt: skip
_CONSENTS: Final = {"dong_y_nghien_cuu": 0.9, "dong_y_dich_vu_cong": 0.8, "dong_y_san_pham": 0.35}
# Cumulated shares of persons by age, for adults and for children.
_ADULT_AGES: Final = ((0.0, 0.12, 0.34, 0.56, 0.75, 0.89, 0.97, 1.0), (18, 24, 34, 44, 54, 64, 76, 100))
_YOUNG_AGES: Final = ((0.0, 0.3, 0.62, 1.0), (0, 5, 11, 18))


class Population(Struct, frozen=True, kw_only=True):
    """`persons` of them, numbered from 0; the first `adults` are of age."""

    persons: int
    seed: int

    @property
    def adults(self) -> int:
        return math.ceil(self.persons * _ADULTS)

    def shares(self, numbers: Ints, salt: int) -> Shares:
        """One draw from [0, 1) a number: always the same for this number, salt and seed (splitmix64)."""
        x = numbers.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        x += np.uint64((salt * 0xD1342543DE82EF95 + self.seed * 0x2545F4914F6CDD1D) % 2**64)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x ^= x >> np.uint64(shift)
            x *= np.uint64(factor)
        x ^= x >> np.uint64(31)
        drawn: Shares = (x >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return drawn

    def one_each(self, first: int, count: int, among: int, salt: int) -> Ints:
        """Persons of the rows first … of a register in which nobody below `among` stands twice."""
        step = int(among * (0.38 + 0.001 * (salt % 97))) | 1
        while math.gcd(step, among) != 1:
            step += 2
        rows = np.arange(first, first + count, dtype=np.int64)
        chosen: Ints = (rows * step + self.seed % among) % among
        return chosen

    def born(self, persons: Ints) -> NDArray[np.datetime64]:
        """Dates of birth."""
        of_age = persons < self.adults
        drawn = self.shares(persons, 1)
        ages = np.where(of_age, np.interp(drawn, *_ADULT_AGES), np.interp(drawn, *_YOUNG_AGES))
        born: NDArray[np.datetime64] = TODAY - np.maximum(1, (ages * 365.2425).astype(np.int64))
        return born

    def ages(self, persons: Ints) -> Ints:
        """Whole years."""
        days: Ints = (TODAY - self.born(persons)).astype(np.int64)
        return (days / 365.2425).astype(np.int64)

    def provinces(self, persons: Ints) -> pa.Array:
        """Of residence, by name; a few are large."""
        names, shares = _provinces()
        return _named(self.shares(persons, 2), dict(zip(names, shares, strict=True)))

    def sexes(self, persons: Ints) -> pa.Array:
        return self.choice(persons, 3, {"nam": 0.498, "nữ": 0.502})

    def names(self, persons: Ints) -> pa.Array:
        """Plainly of nobody."""
        codes = pa.array((self.shares(persons, 4) * 9_973).astype(np.int32))
        return pa.DictionaryArray.from_arrays(codes, [f"Người giả {i:04d}" for i in range(9_973)])

    def keys(self, persons: Ints) -> pa.Array:
        """What names a person in every register: SYN and eleven digits."""
        return labelled("SYN", self._dealt(persons, 2_654_435_761 % _KEYS), 11)

    def choice(self, numbers: Ints, salt: int, shares: dict[str, float]) -> pa.Array:
        """One of the names, each with its share."""
        return _named(self.shares(numbers, salt), shares)

    def consents(self, persons: Ints) -> dict[str, pa.Array]:
        """What each consents to, in every register the same."""
        return {
            name: self.choice(persons, 5 + i, {"có": share, "không": 1 - share})
            for i, (name, share) in enumerate(_CONSENTS.items())
        }

    def documents(self, prefix: str, rows: Ints) -> pa.Array:
        """Numbers of documents: another one each row."""
        return labelled(prefix, self._dealt(rows, 40_503 * 65_537), 11)

    def _dealt(self, numbers: Ints, factor: int) -> Ints:
        # In two steps, for the product of a number and the factor would not fit.
        low, high = numbers % 2**13, numbers // 2**13
        dealt: Ints = ((high * factor % _KEYS) * 2**13 % _KEYS + low * factor + self.seed) % _KEYS
        return dealt


def labelled(prefix: str, numbers: Ints, digits: int) -> pa.Array:
    """Text: the prefix and as many digits."""
    padded = compute.utf8_lpad(compute.cast(pa.array(numbers), pa.string()), digits, "0")
    return compute.binary_join_element_wise(prefix, padded, "")


def _named(drawn: Shares, shares: dict[str, float]) -> pa.Array:
    ends = np.cumsum(list(shares.values()))
    codes = np.searchsorted(ends / ends[-1], drawn, side="right").astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(codes), list(shares))


@functools.cache
def _provinces() -> tuple[tuple[str, ...], tuple[float, ...]]:
    names = tuple(province.name for province in Province.iter_all())
    return names, tuple(_LARGE.get(name, 1.9) for name in names)
