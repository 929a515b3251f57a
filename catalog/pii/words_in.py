"""Kinds that are words or dates: names, addresses, days of birth, halves of coordinates, free text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from typing import Literal

from msgspec import Struct

from catalog.pii.addresses import is_address, is_area, looks_like_address
from catalog.pii.headers import hint, is_vague, spoken, words
from catalog.pii.kinds import Kind
from catalog.pii.names import bare_name, has_form, is_company, is_part, strength
from catalog.pii.syllables import COMMON_SURNAMES, FAMOUS
from catalog.pii.times import (
    day,
    is_birth,
    is_easting,
    is_fine,
    is_latitude,
    is_longitude,
    is_millionth,
    is_northing,
    is_told_of_birth,
    is_version,
)  # fmt: skip
from catalog.pii.wrapped import core

Half = Literal["latitude", "longitude"]
_PART_HEADERS = re.compile(
    r"(?:ho|ten)?(?:va)?(?:chu|ten)?(?:dem|lot)(?:va)?(?:ten)?|ho|ten(?:goi|rieng|goikhac)?|surname(?:middle)?|"
    r"(?:[a-z]*)(?:first|given|last|middle|family|fore)names?|[fl]name|(?:first|last|family|given)(?:(?:and)?middle)"
    r"(?:names?)?"
)
"""Of a column that holds a part of a name, without blanks."""
_AMBIGUOUS = frozenset(
    {"ten", "name", "ten day du", "khach hang", "customer", "client", "owner", "ten goi", "member", "xe"}
)
"""Of persons or of wares and firms: the cells must say."""
_HALF_SAID = re.compile(
    r"\b(?:lat|latitude|vi do|vido|vd|lon|lng|long|longitude|kinh do|kinhdo|kd|x|y)\b|toa do|latlng|latlong|gps|"
    r"coord[a-z]*"
)
_METRES_SAID = re.compile(r"\b(?:[xy]|toa do|vn|utm|northing|easting|north|east)\b")

_WORDS_FIRST = re.compile(
    r"^(?:(?:sinh|ngày|ngay|năm|nam|nữ|nu|sn|ns|dob|born|male|female|[mf])\b[\s,.:/–-]*)+(?=\d)", re.I
)
"""Before a day: "sinh năm 1980", "Nữ, 01/02/1980"."""


class Finding(Struct, frozen=True, kw_only=True):
    """`places`: which of the cells."""

    kind: Kind
    confidence: float
    places: list[int]
    half: Half | None = None


def findings(header: str, cells: Sequence[str], year: int) -> list[Finding]:
    """At most one of names, addresses, births, places on the map; else perhaps free text. `cells`: none blank."""
    for look in (_births, _halves, _addresses, _names):
        found = look(header, cells, year)
        if found is not None:
            return [found]
    return _free_text(header, cells)


def _places(cells: Sequence[str], test: Callable[[str], bool]) -> list[int]:
    return [place for place, cell in enumerate(cells) if test(cell)]


def _births(header: str, cells: Sequence[str], year: int) -> Finding | None:
    said = hint(header, "birth_date")
    if said == "against":
        return None
    if said == "for":
        cells = [cell if is_birth(cell, year=year) else core(_WORDS_FIRST.sub("", cell)) for cell in cells]
    born = _places(cells, lambda cell: is_birth(cell, year=year))
    if said == "for":
        years = _places(cells, lambda cell: is_told_of_birth(cell, year=year))
        both = sorted({*born, *years})
        return (
            Finding(kind="birth_date", confidence=0.95, places=both) if 10 * len(both) >= 3 * len(cells) else None
        )
    dated = _places(cells, lambda cell: day(cell, year=year) is not None and not is_version(cell))
    born = sorted({*born} & {*dated})
    if len(born) < 8 or 10 * len(dated) < 6 * len(cells) or 50 * len(born) < 49 * len(dated):
        return None
    found = sorted(each.year for place in born if (each := day(cells[place], year=year)) is not None)
    early = sum(each <= year - 18 for each in found) / len(found)
    spread = found[19 * len(found) // 20] - found[len(found) // 20]
    old_enough = early >= 0.45 and spread >= 20 and found[len(found) // 10] <= year - 30
    return Finding(kind="birth_date", confidence=0.65, places=born) if old_enough else None


def _halves(header: str, cells: Sequence[str], year: int) -> Finding | None:
    """Latitude or longitude alone; without a header only a guess, which the other half must confirm."""
    said, told = hint(header, "coordinates"), spoken(header)
    if said == "against":
        return None
    for half, test, metres in (
        ("latitude", is_latitude, is_northing), ("longitude", is_longitude, is_easting),
    ):  # fmt: skip
        hits = _places(cells, test)
        # Whichever of the two it says: surveyors' X is the programs' Y, and exports turn them round.
        if _HALF_SAID.search(told) and hits and 10 * len(hits) >= 5 * len(cells):
            return Finding(kind="coordinates", confidence=0.95, places=hits, half=half)  # type: ignore[arg-type]
        whole = _places(cells, partial(is_millionth, half=half)) if _HALF_SAID.search(told) else []
        if whole and 10 * len(whole) >= 9 * len(cells):
            return Finding(kind="coordinates", confidence=0.9, places=whole, half=half)  # type: ignore[arg-type]
        if _METRES_SAID.search(told) and len(meant := _places(cells, metres)) * 10 >= 9 * len(cells):
            return Finding(kind="coordinates", confidence=0.9, places=meant, half=half)  # type: ignore[arg-type]
        fine = sum(is_fine(cells[place]) for place in hits)
        if said == "none" and len(hits) >= 10 and 20 * len(hits) >= 19 * len(cells) and 10 * fine >= 8 * len(hits):
            return Finding(kind="coordinates", confidence=0.5, places=hits, half=half)  # type: ignore[arg-type]
    return None


def _addresses(header: str, cells: Sequence[str], year: int) -> Finding | None:
    said = hint(header, "address")
    sure = _places(cells, is_address)
    areas = _places(cells, is_area)
    alone = said == "for" and len(sure) > len(areas) // 2  # "Phường 5, Quận 3" where the header says address
    if 10 * len(areas) >= 6 * len(cells) and not alone:
        return Finding(kind="area", confidence=0.9, places=areas)
    if said == "for":
        near = _places(cells, looks_like_address)
        if 10 * len(near) >= 3 * len(cells):
            return Finding(kind="address", confidence=0.95, places=near)
    share, least = (0.8, 10) if said == "against" else (0.3, 3)
    if len(sure) >= least and len(sure) >= share * len(cells) and _short(cells):
        near = _places(cells, looks_like_address) if 10 * len(sure) >= 7 * len(cells) else sure
        return Finding(kind="address", confidence=0.85, places=near)
    return None


def _short(cells: Sequence[str]) -> bool:
    """Addresses, not stories with an address in them."""
    return sum(len(cell) <= 140 for cell in cells) * 10 >= 9 * len(cells)


def _names(header: str, cells: Sequence[str], year: int) -> Finding | None:
    said = "none" if words(header) in _AMBIGUOUS or is_vague(header) else hint(header, "person_name")
    grades = [strength(cell) if len(cell) < 80 else "no" for cell in cells]
    strong = [place for place, grade in enumerate(grades) if grade == "strong"]
    sure = [place for place, grade in enumerate(grades) if grade in ("strong", "likely")]
    firms = sum(
        is_company(cell) and grade not in ("strong", "likely") for cell, grade in zip(cells, grades, strict=True)
    )
    persons = max(1, len(cells) - firms)
    if _PART_HEADERS.fullmatch(words(header).replace(" ", "")):
        part = _places(cells, is_part)
        if words(header) == "ten":  # of wares too: those are longer
            part = [place for place in part if len(cells[place].split()) < 3]
        if 10 * len(part) >= 8 * len(cells):
            return Finding(kind="person_name", confidence=0.8, places=part)
    if said == "for" and (4 * firms < 3 * len(cells) or 10 * len(sure) >= len(cells)):
        return _named(cells, sure, persons)
    if said == "against":
        return Finding(kind="person_name", confidence=0.7, places=strong) if (
            len({cells[place] for place in strong}) >= 8 and 10 * len(strong) >= 6 * len(cells)
        ) else None  # fmt: skip
    few = 1 < len(sure) < 5 and len(sure) == len(cells) and 3 * len(strong) >= 2 * len(sure)
    if (len(sure) < 5 or 10 * len(sure) < 7 * persons) and not few:
        return None
    famous = sum(_famous(cell) for cell in cells)
    if 4 * famous >= len(cells):
        return None  # streets, schools: named after persons
    common = sum(_commonly_called(cells[place]) for place in sure)
    usual = 20 * len(sure) >= 19 * persons or _as_a_people({cells[place] for place in sure})
    if 10 * len(strong) < 3 * len(sure) and (10 * common < 6 * len(sure) or not usual):
        return None
    namesakes = 10 * famous < len(cells)
    return Finding(
        kind="person_name", confidence=0.85,
        places=[p for p in _formed(cells) if namesakes or not _famous(cells[p])],
    )  # fmt: skip


def _named(cells: Sequence[str], sure: list[int], persons: int) -> Finding | None:
    """Under a header that says so; names of other peoples by their form, where nearly all cells have it."""
    formed = _formed(cells)
    if 10 * len(sure) >= 3 * persons and (len(sure) >= 2 or len(cells) <= 5):
        usual = 10 * len(sure) >= 6 * persons or 20 * len(formed) >= 19 * persons
        return Finding(kind="person_name", confidence=0.95, places=formed if usual else sure)
    spread = len({cells[place] for place in formed}) * 4 >= len(formed)
    if 10 * len(formed) >= 9 * persons and 4 * persons >= 3 * len(cells) and spread:
        return Finding(kind="person_name", confidence=0.75, places=formed)
    return None


def _formed(cells: Sequence[str]) -> list[int]:
    return _places(cells, lambda cell: len(cell) < 80 and has_form(cell))


def _as_a_people(names: Collection[str]) -> bool:
    """Every third Vietnamese is a Nguyễn: so are no streets, firms or wares."""
    ends = [{tokens[0], tokens[-1]} for name in names if (tokens := bare_name(name).split())]
    return len(ends) >= 12 and 5 * sum("nguyen" in each for each in ends) >= len(ends)


def _commonly_called(cell: str) -> bool:
    tokens = bare_name(cell).split()
    return tokens[0] in COMMON_SURNAMES or tokens[-1] in COMMON_SURNAMES


def _famous(cell: str) -> bool:
    return bare_name(cell) in FAMOUS


def _free_text(header: str, cells: Sequence[str]) -> list[Finding]:
    """Sentences, nearly all of them different: may hold anything."""
    counts = [sum(any(map(str.isalpha, word)) for word in cell.split()) for cell in cells]
    mean = sum(counts) / len(counts)
    least = 4 if hint(header, "free_text") == "for" else 6
    firms = sum(is_company(cell) for cell in cells)
    if (
        len(cells) < 5
        or mean < least
        or 2 * len(set(cells)) < len(cells)
        or (mean < 12 and 2 * firms > len(cells))
    ):
        return []
    return [Finding(kind="free_text", confidence=0.8, places=list(range(len(cells))))]
