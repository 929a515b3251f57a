"""Where a decision demands less than another did: the lattice of obligations, axis by axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

STATE = ("public", "internal", "important", "core")
PERSONAL = ("none", "basic", "sensitive")

Looser = Callable[[Any, Any], bool]
"""Of before and after, neither of them None: whether after demands less, or something that cannot be compared."""


def _more(before: Any, after: Any) -> bool:
    return bool(after > before)


def _less(before: Any, after: Any) -> bool:
    return bool(after < before)


def _another(before: Any, after: Any) -> bool:
    return bool(after != before)


def _new_member(before: Any, after: Any) -> bool:
    return not _set(after) <= _set(before)


def _lost_member(before: Any, after: Any) -> bool:
    return not _set(before) <= _set(after)


def _lower(scale: tuple[str, ...]) -> Looser:
    return lambda before, after: {before, after} - set(scale) != set() or scale.index(after) < scale.index(before)


AXES: dict[str, Looser] = {
    "mode": _another,
    "columns": _new_member,
    "row_filter": _lost_member,
    "k_min": _less,
    "max_rows": _more,
    "max_bytes": _more,
    "epsilon": _more,
    "expires_at": _more,
    "recheck_after": _more,
    "consented_to": _another,
    "state_class": _lower(STATE),
    "personal_class": _lower(PERSONAL),
}
"""An axis that says something is stricter than one that says nothing: null, or no filter."""


def looser_axes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Axes on which `after` demands less than `before`, by name. An unknown one counts when it differs at all."""
    names = sorted(before.keys() | after.keys())
    return tuple(name for name in names if _looser(name, before.get(name), after.get(name)))


def _looser(name: str, before: Any, after: Any) -> bool:
    if name not in AXES:
        return bool(before != after)
    if before is None or (name == "row_filter" and not before):
        return False
    try:
        return after is None or AXES[name](before, after)
    except TypeError:  # of another kind than before, so a person must look
        return True


def _set(members: Any) -> set[bytes]:
    return {msgspec.json.encode(member, order="deterministic") for member in members}
