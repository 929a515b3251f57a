"""What dp mode demands of a manifest: bounds, domains and a budget that are declared, never measured."""

from __future__ import annotations

from catalog.positioned import Found, Node

MAX_STEPS = 100_000
"""Between the bounds: then sums of squares of 2³⁰ persons stay within 64 bits."""
MAX_MAGNITUDE = 2**31
MAX_VALUES = 1_000


def privacy_rules(tree: Node, columns: list[Node]) -> Found:
    """Each rule of dp mode that does not hold, and each word of dp mode in another."""
    if tree.scalar("mode") != "dp":
        if tree.has("privacy"):
            yield tree.at("privacy"), "manifest.privacy_elsewhere", {"mode": str(tree.scalar("mode"))}
        for column in columns:
            for key in ("bounds", "values"):
                if column.has(key):
                    yield column.at(key), "manifest.privacy_elsewhere", {"mode": str(tree.scalar("mode"))}
        return
    if not tree.has("privacy"):
        yield tree.at("mode"), "manifest.privacy_missing", {}
    else:
        cap, each = (tree.at("privacy").scalar(f"rho_{name}_micro") for name in ("cap", "agreement"))
        if isinstance(cap, int) and isinstance(each, int) and each > cap:
            yield tree.at("privacy", "rho_agreement_micro"), "manifest.privacy_over_cap", {"cap": cap}
    if tree.has("cross_products"):
        yield tree.at("cross_products"), "manifest.privacy_transform", {"name": "cross_products"}
    for column in columns:
        yield from _column(column)


def _column(column: Node) -> Found:
    name, kind = str(column.scalar("name")), column.scalar("type") or "text"
    for key in ("transform", "fallback", "bands"):
        if column.has(key):
            yield column.value[key][0], "manifest.privacy_transform", {"name": name}
    if column.scalar("role") == "measure" and not column.has("bounds"):
        yield column, "manifest.bounds_missing", {"name": name}
    if column.has("values"):
        values = (
            [n.value for n in column.at("values").value] if isinstance(column.at("values").value, list) else []
        )
        if kind != "text" or len(values) > MAX_VALUES or len({str(v) for v in values}) < len(values):
            yield column.at("values"), "manifest.values_declared", {"name": name, "max": MAX_VALUES}
    if column.has("bounds") and (kind not in ("integer", "number") or not _sound(column.at("bounds"))):
        yield column.at("bounds"), "manifest.bounds_declared", {"name": name, "max": MAX_STEPS}


def _sound(bounds: Node) -> bool:
    """Whether both bounds are whole steps, apart, and not too many steps from each other or from zero."""
    lower, upper, step = (bounds.scalar(key) for key in ("lower", "upper", "step"))
    step = 1 if step is None else step
    if not all(isinstance(n, int | float) for n in (lower, upper, step)) or step <= 0:
        return False
    low, high = lower / step, upper / step
    whole = all(abs(n - round(n)) < 1e-6 for n in (low, high))
    return whole and 0 < round(high) - round(low) <= MAX_STEPS and max(abs(low), abs(high)) <= MAX_MAGNITUDE
