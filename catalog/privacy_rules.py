"""What dp mode demands of a manifest: bounds, domains and a budget that are declared, never measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.positioned import Node

MAX_STEPS = 100_000
"""Between the bounds: then sums of squares of 2³⁰ persons stay within 64 bits."""
MAX_MAGNITUDE = 2**31
MAX_VALUES = 1_000

Found = Iterator[tuple[Node, str, dict[str, Any]]]


def privacy_rules(tree: Node, columns: list[Node]) -> Found:
    """Each rule of dp mode that does not hold, and each word of dp mode in another."""
    if _value(tree, "mode") != "dp":
        if _has(tree, "privacy"):
            yield tree.at("privacy"), "manifest.privacy_elsewhere", {"mode": str(_value(tree, "mode"))}
        for column in columns:
            for key in ("bounds", "values"):
                if _has(column, key):
                    yield column.at(key), "manifest.privacy_elsewhere", {"mode": str(_value(tree, "mode"))}
        return
    if not _has(tree, "privacy"):
        yield tree.at("mode"), "manifest.privacy_missing", {}
    else:
        cap, each = (_value(tree.at("privacy"), f"rho_{name}_micro") for name in ("cap", "agreement"))
        if isinstance(cap, int) and isinstance(each, int) and each > cap:
            yield tree.at("privacy", "rho_agreement_micro"), "manifest.privacy_over_cap", {"cap": cap}
    if _has(tree, "cross_products"):
        yield tree.at("cross_products"), "manifest.privacy_transform", {"name": "cross_products"}
    for column in columns:
        yield from _column(column)


def _column(column: Node) -> Found:
    name, kind = str(_value(column, "name")), _value(column, "type") or "text"
    for key in ("transform", "fallback", "bands"):
        if _has(column, key):
            yield column.value[key][0], "manifest.privacy_transform", {"name": name}
    if _value(column, "role") == "measure" and not _has(column, "bounds"):
        yield column, "manifest.bounds_missing", {"name": name}
    if _has(column, "values"):
        values = (
            [n.value for n in column.at("values").value] if isinstance(column.at("values").value, list) else []
        )
        if kind != "text" or len(values) > MAX_VALUES or len({str(v) for v in values}) < len(values):
            yield column.at("values"), "manifest.values_declared", {"name": name, "max": MAX_VALUES}
    if _has(column, "bounds") and (kind not in ("integer", "number") or not _sound(column.at("bounds"))):
        yield column.at("bounds"), "manifest.bounds_declared", {"name": name, "max": MAX_STEPS}


def _sound(bounds: Node) -> bool:
    """Whether both bounds are whole steps, apart, and not too many steps from each other or from zero."""
    lower, upper, step = (_value(bounds, key) for key in ("lower", "upper", "step"))
    step = 1 if step is None else step
    if not all(isinstance(n, int | float) for n in (lower, upper, step)) or step <= 0:
        return False
    low, high = lower / step, upper / step
    whole = all(abs(n - round(n)) < 1e-6 for n in (low, high))
    return whole and 0 < round(high) - round(low) <= MAX_STEPS and max(abs(low), abs(high)) <= MAX_MAGNITUDE


def _value(node: Node, key: str) -> Any:
    return node.at(key).value if isinstance(node.value, dict) and key in node.value else None


def _has(node: Node, key: str) -> bool:
    return _value(node, key) is not None
