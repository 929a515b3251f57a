"""The demo's question in dp mode, and how its noisy answer and the budget are told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

SLUG = "khao_sat_thu_nhap"
SQL = f"""
select tinh, count(*) as so_nguoi, avg(thu_nhap) as thu_nhap
from {SLUG} where co_bao_hiem group by tinh order by so_nguoi desc limit 3
"""
RHO_MICRO = 20_000


def told(rows: Sequence[Mapping[str, Any]], budget: Mapping[str, Any], base_url: str) -> Iterator[str]:
    """Lines for the story: each row with its 95% interval, then what is left and where to look at it."""
    for row in rows:
        margin = (row["thu_nhap__high"] - row["thu_nhap__low"]) / 2
        people = (row["so_nguoi__high"] - row["so_nguoi__low"]) / 2
        yield (
            f"     {row['tinh']}: {row['so_nguoi']:,} ± {people:.0f} người/persons, "
            f"{row['thu_nhap']:.1f} ± {margin:.1f} triệu đ"
        )
    left = budget["left_micro"] / budget["granted_micro"]
    page = f"{base_url}/agreements/{budget['agreement_id']}/budget"
    counts = budget["buys"]["counts"]
    yield f"   Ngân sách riêng tư còn / privacy budget left: {left:.0%}, {counts} câu/counts: {page}"
