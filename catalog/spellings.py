"""How provinces are written beside their names: short, in English, by the names of provinces long gone."""

from __future__ import annotations

from typing import Final

PROVINCES: Final = {
    "Hồ Chí Minh": "sai gon|hcm|hcmc|tphcm|ho chi minh city|ba ria vung tau|brvt|vung tau|ba ria-vung tau",
    "Hà Nội": "hn|hanoi|ha tay",
    "Đà Nẵng": "da nang city|danang|dn",
    "Hải Phòng": "hp|hai phong city",
    "Huế": "thua thien hue|thua thien - hue|hue city|tt hue",
    "Đắk Lắk": "dac lac|dak lak|daklak",
    "Lâm Đồng": "dac nong|dak nong",
    "Thái Nguyên": "bac can",
    "Quảng Ngãi": "kontum",
    "Cần Thơ": "can tho city",
}
"""Province of today → folded spellings (`catalog.search.fold`)."""
