"""Kinds that are words or dates: names, addresses, days of birth, halves of coordinates, free text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from catalog.pii.addresses import is_address, is_area, looks_like_address
from catalog.pii.headers import hint, words
from catalog.pii.kinds import Kind
from catalog.pii.names import bare_name, has_form, is_company, is_given, strength
from catalog.pii.syllables import COMMON_SURNAMES, FAMOUS
from catalog.pii.times import day, is_birth, is_latitude, is_longitude, is_year_of_birth

Half = Literal["latitude", "longitude"]
_GIVEN_HEADERS = frozenset(
    {"ten", "first name", "given name", "ten goi", "ho dem", "last name", "firstname", "ten rieng"}
)
_AMBIGUOUS = frozenset(
    {"ten", "name", "ten day du", "khach hang", "customer", "client", "owner", "ten goi", "member", "xe"}
)
"""Of persons or of wares and firms: the cells must say."""
_LATITUDE = re.compile(r"\b(?:lat|latitude|vi do|vido|y|toa do y|gps lat)\b")
_LONGITUDE = re.compile(r"\b(?:lon|lng|long|longitude|kinh do|kinhdo|x|toa do x|gps lon|gps lng|gps long)\b")


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
    born = _places(cells, lambda cell: is_birth(cell, year=year))
    if said == "for":
        years = _places(cells, lambda cell: is_year_of_birth(cell, year=year))
        both = sorted({*born, *years})
        return (
            Finding(kind="birth_date", confidence=0.95, places=both) if 10 * len(both) >= 3 * len(cells) else None
        )
    dated = _places(cells, lambda cell: day(cell, year=year) is not None)
    if len(born) < 8 or 10 * len(dated) < 6 * len(cells) or 50 * len(born) < 49 * len(dated):
        return None
    found = sorted(each.year for place in born if (each := day(cells[place], year=year)) is not None)
    early = sum(each <= year - 18 for each in found) / len(found)
    spread = found[19 * len(found) // 20] - found[len(found) // 20]
    old_enough = early >= 0.45 and spread >= 20 and found[len(found) // 10] <= year - 30
    return Finding(kind="birth_date", confidence=0.65, places=born) if old_enough else None


def _halves(header: str, cells: Sequence[str], year: int) -> Finding | None:
    """Latitude or longitude alone; without a header only a guess, which the other half must confirm."""
    said, spoken = hint(header, "coordinates"), words(header)
    for half, test, header_says in (
        ("latitude", is_latitude, _LATITUDE), ("longitude", is_longitude, _LONGITUDE),
    ):  # fmt: skip
        hits = _places(cells, test)
        if said == "against" or not hits:
            continue
        if header_says.search(spoken) and 10 * len(hits) >= 5 * len(cells):
            return Finding(kind="coordinates", confidence=0.95, places=hits, half=half)  # type: ignore[arg-type]
        fine = sum(len(re.split(r"[.,]", cells[place])[-1]) >= 4 for place in hits)
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
    said = "none" if words(header) in _AMBIGUOUS else hint(header, "person_name")
    grades = [strength(cell) if len(cell) < 80 else "no" for cell in cells]
    strong = [place for place, grade in enumerate(grades) if grade == "strong"]
    sure = [place for place, grade in enumerate(grades) if grade in ("strong", "likely")]
    firms = sum(
        is_company(cell) and grade not in ("strong", "likely") for cell, grade in zip(cells, grades, strict=True)
    )
    persons = max(1, len(cells) - firms)
    if words(header) in _GIVEN_HEADERS:
        given = _places(cells, is_given)
        if 10 * len(given) >= 8 * len(cells):
            return Finding(kind="person_name", confidence=0.7, places=given)
    if said == "for":
        if 10 * len(sure) < 3 * persons or (len(sure) < 2 and len(cells) > 5):
            return None
        usual = 10 * len(sure) >= 6 * persons
        return Finding(kind="person_name", confidence=0.95, places=_formed(cells) if usual else sure)
    if said == "against":
        return Finding(kind="person_name", confidence=0.7, places=strong) if (
            len(strong) >= 10 and 10 * len(strong) >= 6 * len(cells)
        ) else None  # fmt: skip
    if len(sure) < 5 or 10 * len(sure) < 7 * persons:
        return None
    if 4 * sum(_famous(cell) for cell in cells) >= len(cells):
        return None  # streets, schools: named after persons
    common = sum(_commonly_called(cells[place]) for place in sure)
    if 10 * len(strong) < 3 * len(sure) and (10 * common < 6 * len(sure) or 20 * len(sure) < 19 * persons):
        return None
    return Finding(
        kind="person_name", confidence=0.85, places=[p for p in _formed(cells) if not _famous(cells[p])]
    )


def _formed(cells: Sequence[str]) -> list[int]:
    return _places(cells, lambda cell: len(cell) < 80 and has_form(cell))


def _commonly_called(cell: str) -> bool:
    tokens = bare_name(cell).split()
    return tokens[0] in COMMON_SURNAMES or tokens[-1] in COMMON_SURNAMES


def _famous(cell: str) -> bool:
    return bare_name(cell) in FAMOUS


def _free_text(header: str, cells: Sequence[str]) -> list[Finding]:
    """Sentences, nearly all of them different: may hold anything."""
    counts = [len(cell.split()) for cell in cells]
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
