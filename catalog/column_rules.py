"""What one key of a manifest's column demands of another: its role, its type, its transforms."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from catalog.hierarchy import NotATree
from catalog.positioned import Found, Node
from catalog.transforms import Transform, hierarchy_of
from catalog.version import MAX_FALLBACKS

_NUMBERS = ("integer", "number")
_TIMES = ("date", "timestamp")
BAND = "_band"
"""What the name of a measure's bands ends in."""
SHOWN = ("quasi-identifier", "sensitive", "measure")


def column_rules(tree: Node, column: Node) -> Found:
    """Each rule that does not hold within one column."""
    role, kind = column.scalar("role"), column.scalar("type", "text")
    name = str(column.scalar("name", ""))
    if role in SHOWN and not column.has("meaning"):
        yield column, "manifest.meaning_missing", {"name": name}
    if role == "measure":
        if tree.scalar("mode") == "rows":
            yield column.at("role"), "manifest.measure_in_rows", {"name": name}
        if kind not in _NUMBERS:
            yield column.at("type"), "manifest.measure_type", {"name": name, "type": str(kind)}
        bounded = tree.scalar("mode") == "dp"
        if not bounded and not (column.has("transform") and column.at("transform").has("clamp")):
            yield column, "manifest.measure_clamp", {"name": name}
    if role in ("identifier", "drop") and (column.has("transform") or column.has("fallback")):
        key = "transform" if column.has("transform") else "fallback"
        yield column.value[key][0], "manifest.transform_of_removed", {"name": name, "role": str(role)}
    if column.has("bands"):
        yield from _bands(column, name, str(role))
    if column.has("fallback") and role in ("sensitive", "measure"):
        yield column.value["fallback"][0], "manifest.fallback_role", {"name": name, "role": str(role)}
    if column.has("format") and kind not in _TIMES:
        yield column.at("format"), "manifest.format_type", {"name": name, "type": str(kind)}
    fallbacks = column.at("fallback") if column.has("fallback") else None
    several = [] if fallbacks is None else fallbacks.elements or [fallbacks]
    if len(several) > MAX_FALLBACKS:
        yield fallbacks or column, "manifest.fallbacks_many", {"name": name, "max": MAX_FALLBACKS}
    for node in [*([column.at("transform")] if column.has("transform") else []), *several]:
        if node.value is not None:
            yield from _transform(tree, node, name, kind, str(role))


def _bands(column: Node, name: str, role: str) -> Found:
    node = column.at("bands")
    if role != "measure":
        yield column.value["bands"][0], "manifest.bands_role", {"name": name, "role": role}
        return
    bounds = [n.value for n in node.elements]
    if not all(isinstance(b, int | float) and not isinstance(b, bool) for b in bounds):
        return  # the reader has said so
    if bounds != sorted(set(bounds)):
        yield node, "manifest.bins_order", {"name": name}
    clamp = column.at("transform", "clamp").plain() if column.has("transform") else None
    if (
        isinstance(clamp, list)
        and len(clamp) == 2
        and bounds
        and not (
            all(isinstance(c, int | float) for c in clamp) and clamp[0] < min(bounds) and max(bounds) <= clamp[1]
        )
    ):
        yield node, "manifest.bands_outside_clamp", {"name": name, "low": clamp[0], "high": clamp[1]}


def _transform(tree: Node, node: Node, name: str, kind: Any, role: str) -> Found:
    plain = node.plain()
    try:
        transform = msgspec.convert(plain, Transform)
    except msgspec.ValidationError:
        return  # the reader has said what is wrong with it
    if len(transform.kinds) != 1:
        yield node, "manifest.one_transform", {"name": name, "given": ", ".join(transform.kinds) or "—"}
        return
    what = transform.kinds[0]
    if what in ("bins", "code", "clamp") and kind not in _NUMBERS:
        yield node, "manifest.transform_type", {"name": name, "transform": what, "type": str(kind)}
    if what == "truncate" and kind not in _TIMES:
        yield node, "manifest.transform_type", {"name": name, "transform": what, "type": str(kind)}
    if role == "measure" and what != "clamp":
        yield node, "manifest.measure_clamp", {"name": name}
    if what == "clamp" and transform.clamp and transform.clamp[0] >= transform.clamp[1]:
        yield node, "manifest.empty_range", {"name": name}
    if transform.bins and list(transform.bins) != sorted(set(transform.bins)):
        yield node, "manifest.bins_order", {"name": name}
    if what == "drop" and role == "sensitive":
        yield node, "manifest.sensitive_drop", {"name": name}
    yield from _groups(tree, node, transform, name)


def _groups(tree: Node, node: Node, transform: Transform, name: str) -> Found:
    values = [v for group in (transform.groups or {}).values() for v in group]
    for value in sorted(v for v, count in Counter(values).items() if count > 1):
        yield node, "manifest.group_twice", {"name": name, "value": value}
    if transform.hierarchy is None:
        return
    own = tree.at("hierarchies").plain() if tree.has("hierarchies") else {}
    try:
        levels = hierarchy_of(transform.hierarchy, own if isinstance(own, dict) else {}).levels
    except NotATree:
        return  # said of the hierarchy itself
    except KeyError:
        yield node, "manifest.hierarchy_unknown", {"name": name, "hierarchy": transform.hierarchy}
        return
    except (TypeError, AttributeError):
        levels = 0  # the reader has said that it is no text
    if levels < transform.level:
        yield node, "manifest.hierarchy_level", {"name": name, "hierarchy": transform.hierarchy,
                                                 "level": transform.level}  # fmt: skip
