"""What a query costs: a base, and so much per GB of logical bytes of the columns read."""

from __future__ import annotations

GB = 10**9


def price_vnd(base_vnd: int, per_gb_vnd: int, bytes: int) -> int:
    """Whole đồng; the per-GB line is rounded once, half up. Raises ValueError for a negative figure."""
    if min(base_vnd, per_gb_vnd, bytes) < 0:
        raise ValueError(f"base {base_vnd}, per GB {per_gb_vnd}, bytes {bytes}")
    return base_vnd + (2 * per_gb_vnd * bytes + GB) // (2 * GB)
