"""How a column is made coarser. Applied to a column's distinct values, so the cost does not grow with the rows."""

from __future__ import annotations

import bisect
import datetime
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import pairwise
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from catalog.hierarchy import TRUNCATIONS, Hierarchy, read_hierarchy

Value = str | int | float | bool | datetime.date | datetime.datetime | None
UNMAPPED = object()
"""Stands for a value that a hierarchy does not know; never published."""


class Transform(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of: drop (no value remains), bins (lower bounds), groups (label → values), hierarchy and its level,
    truncate (dates), clamp [low, high], or top_code and bottom_code."""

    drop: bool = False
    bins: Annotated[tuple[float, ...], Meta(min_length=1)] | None = None
    groups: dict[str, tuple[str, ...]] | None = None
    hierarchy: str | None = None
    level: Annotated[int, Meta(ge=1, le=9)] = 1
    otherwise: str | None = None
    """With groups or a hierarchy: the label of values that are not named."""
    truncate: Literal["decade", "five_years", "year", "quarter", "month"] | None = None
    top_code: float | None = None
    bottom_code: float | None = None
    clamp: tuple[float, float] | None = None

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which of them are given; exactly one in a manifest that was accepted."""
        coded = self.top_code is not None or self.bottom_code is not None
        given = {
            "drop": self.drop, "bins": self.bins, "groups": self.groups, "hierarchy": self.hierarchy,
            "truncate": self.truncate, "code": coded, "clamp": self.clamp,
        }  # fmt: skip
        return tuple(kind for kind, value in given.items() if value not in (None, False))

    @property
    def makes_text(self) -> bool:
        return bool({"bins", "groups", "hierarchy", "truncate"} & set(self.kinds))


def describe(transform: Transform | None) -> str:
    """A few words for version.json, e.g. "bins 25/45/65", "top_code 90"."""
    if transform is None:
        return "none"
    if transform.bins is not None:
        return "bins " + "/".join(map(number_text, transform.bins))
    if transform.groups is not None:
        return f"{len(transform.groups)} groups"
    if transform.hierarchy is not None:
        return f"hierarchy {transform.hierarchy} level {transform.level}"
    if transform.truncate is not None:
        return f"truncate {transform.truncate}"
    if transform.clamp is not None:
        return f"clamp {number_text(transform.clamp[0])}..{number_text(transform.clamp[1])}"
    if transform.drop:
        return "drop"
    codes = {"bottom_code": transform.bottom_code, "top_code": transform.top_code}
    return " ".join(f"{name} {number_text(value)}" for name, value in codes.items() if value is not None)


def apply(transform: Transform | None, values: Sequence[Value], hierarchies: Mapping[str, str]) -> list[Any]:
    """Each value made coarser; None stays None, a value that no group names becomes UNMAPPED."""
    if transform is None:
        return list(values)
    change = _change(transform, hierarchies)
    return [None if value is None else change(value) for value in values]


def _change(transform: Transform, hierarchies: Mapping[str, str]) -> Callable[[Any], Any]:
    if transform.drop:
        return lambda _: None
    if transform.bins is not None:
        labels, bounds = bin_labels(transform.bins), sorted(transform.bins)
        return lambda value: labels[bisect.bisect_right(bounds, value)]
    if transform.truncate is not None:
        return TRUNCATIONS[transform.truncate]
    rest: Any = UNMAPPED if transform.otherwise is None else transform.otherwise
    if transform.groups is not None:
        table = {value: label for label, values in transform.groups.items() for value in values}
        return lambda value: table.get(str(value), rest)
    if transform.hierarchy is not None:
        hierarchy = hierarchy_of(transform.hierarchy, hierarchies)
        return lambda value: rest if (label := hierarchy.at(value, transform.level)) is None else label
    low, high = transform.clamp or (transform.bottom_code, transform.top_code)
    return lambda value: _bounded(value, low, high)


def _bounded(value: Any, low: float | None, high: float | None) -> Any:
    kind = type(value)
    if low is not None and value < low:
        return kind(low)
    return kind(high) if high is not None and value > high else value


def bin_labels(bounds: Sequence[float]) -> list[str]:
    """One more label than bounds: "<25", "25-44", ">=45"; between bounds that are not whole "0.5-<0.8"."""
    ordered = sorted(bounds)
    whole = all(float(b).is_integer() for b in ordered)
    between = [_between(a, b, whole=whole) for a, b in pairwise(ordered)]
    return [f"<{number_text(ordered[0])}", *between, f">={number_text(ordered[-1])}"]


def _between(low: float, high: float, *, whole: bool) -> str:
    if not whole:
        return f"{number_text(low)}-<{number_text(high)}"
    return f"{number_text(low)}-{number_text(high - 1)}" if high - low > 1 else number_text(low)


def number_text(number: float) -> str:
    """As people write it. In six digits 12,345,678 and 12,345,679 đồng, two bounds, were one: 1.23457e+07."""
    return f"{number:.15g}"


def hierarchy_of(name: str, hierarchies: Mapping[str, str]) -> Hierarchy:
    """An owner's own or one of ours. Raises KeyError for an unknown one, NotATree."""
    return read_hierarchy(hierarchies[name] if name in hierarchies else shipped_hierarchy(name))


@cache
def shipped_hierarchy(name: str) -> str:
    """The text of one of our own hierarchies. Raises KeyError."""
    if not name.replace("_", "").isalnum():
        raise KeyError(name)
    if name == "vn_ward":
        from catalog.wards import wards  # the jails, which are told hierarchies as text, do not have its package

        regions = read_hierarchy(shipped_hierarchy("vn_province_region")).exact
        return wards(regions)
    file = resources.files("catalog") / "hierarchies" / f"{name}.csv"
    if not file.is_file():
        raise KeyError(name)
    return file.read_text(encoding="utf-8")
