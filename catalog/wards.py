"""Wards of Viet Nam (since 1 July 2025): ward → group of neighbours → province → region → macro-region.

Districts are no more. A group is ten wards next to each other in the statistics office's codes, which run through
a province from place to place: about what a district was.
"""

from __future__ import annotations

import csv
import io
from typing import Final

from vietnam_provinces import Province, Ward

GROUP: Final = 10


def wards(regions: dict[str, tuple[str, ...]]) -> str:
    """As CSV. A ward is named by its code of five digits, or as "Phường Cửa Nam, Thành phố Hà Nội". `regions`:
    what stands above each province."""
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    for province in sorted(Province.iter_all(), key=lambda p: int(p.code)):
        inside = sorted(Ward.iter_by_province(province.code), key=lambda w: int(w.code))
        groups = max(len(inside) // GROUP, 1)
        for place, ward in enumerate(inside):
            label = f"{province.name}, cụm {place * groups // len(inside) + 1}"
            above = (label, province.name, *regions[province.name])
            writer.writerow([f"{int(ward.code):05d}", *above])
            writer.writerow([f"{ward.name}, {province.name}", *above])
    return sink.getvalue()
