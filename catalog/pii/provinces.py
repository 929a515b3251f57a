"""The 34 provinces of today, the 63 before 1 July 2025, and which became which (Resolution 202/2025/QH15)."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any, Final

from catalog.pii.folding import fold
from catalog.spellings import PROVINCES

_MERGED: Final = {
    "Tuyên Quang": "Hà Giang", "Lào Cai": "Yên Bái", "Thái Nguyên": "Bắc Kạn", "Phú Thọ": "Vĩnh Phúc|Hòa Bình",
    "Bắc Ninh": "Bắc Giang", "Hưng Yên": "Thái Bình", "Hải Phòng": "Hải Dương", "Ninh Bình": "Hà Nam|Nam Định",
    "Quảng Trị": "Quảng Bình", "Đà Nẵng": "Quảng Nam", "Quảng Ngãi": "Kon Tum", "Gia Lai": "Bình Định",
    "Khánh Hòa": "Ninh Thuận", "Lâm Đồng": "Đắk Nông|Bình Thuận", "Đắk Lắk": "Phú Yên",
    "Hồ Chí Minh": "Bà Rịa - Vũng Tàu|Bình Dương", "Đồng Nai": "Bình Phước", "Tây Ninh": "Long An",
    "Cần Thơ": "Sóc Trăng|Hậu Giang", "Vĩnh Long": "Bến Tre|Trà Vinh", "Đồng Tháp": "Tiền Giang",
    "Cà Mau": "Bạc Liêu", "An Giang": "Kiên Giang",
}  # fmt: skip


def _read() -> list[dict[str, Any]]:
    """Of the library only its table: importing its enumerations costs ten times as much."""
    found = importlib.util.find_spec("vietnam_provinces")
    places = found.submodule_search_locations if found is not None else None
    if not places:
        raise ModuleNotFoundError("vietnam_provinces is not installed")
    file = Path(places[0]) / "data" / "nested-divisions.json"
    read: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return read


def _short(name: str) -> str:
    for kind in ("Thành phố ", "Tỉnh ", "Phường ", "Xã ", "Đặc khu ", "Thị trấn "):
        name = name.removeprefix(kind)
    return name


_DIVISIONS: Final = _read()
NEW: Final = frozenset(_short(each["name"]) for each in _DIVISIONS)
"""Names without "Tỉnh" and "Thành phố"."""
CURRENT: Final[dict[str, str]] = (
    {fold(name): name for name in NEW}
    | {fold(old): new for new, olds in _MERGED.items() for old in olds.split("|")}
    | {spelling: name for name, spellings in PROVINCES.items() for spelling in spellings.split("|")}
)
"""Folded name, old or new → the province of today."""
WARDS: Final = frozenset(fold(_short(ward["name"])) for each in _DIVISIONS for ward in each["wards"])
"""Folded names of today's wards and communes, without their kind."""


def current_province(name: str) -> str | None:
    """The province of today that `name` is, or became a part of; None for what is no province."""
    text = fold(name).strip(" .,")
    for kind in ("thanh pho ", "tinh ", "tp. ", "tp ", "tp.", "t. ", "t."):
        text = text.removeprefix(kind)
    return CURRENT.get(text.removesuffix(" province").removesuffix(" city"))
