"""Our words as the European authority tables, IANA and SPDX have them, where they do."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date
from typing import Final

from catalog.search import fold

AUTHORITY: Final = "http://publications.europa.eu/resource/authority/"
IANA: Final = "https://www.iana.org/assignments/media-types/"
RESTRICTED: Final = f"{AUTHORITY}access-right/RESTRICTED"
LANGUAGES: Final = (f"{AUTHORITY}language/VIE", f"{AUTHORITY}language/ENG")
FREQUENCIES: Final = {
    "once": "NEVER",
    "never": "NEVER",
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "yearly": "ANNUAL",
    "irregular": "IRREG",
}
FILE_TYPES: Final = {"text/csv": "CSV", "application/json": "JSON", "application/ld+json": "JSON_LD"}
COUNTRIES: Final = {"VN": "VNM", "US": "USA"}
"""ISO 3166 two letters → three, as the authority has them."""
THEMES: Final = {
    "nong nghiep": "AGRI",
    "thuy san": "AGRI",
    "kinh te": "ECON",
    "tai chinh": "ECON",
    "thu nhap": "ECON",
    "thue": "ECON",
    "giao duc": "EDUC",
    "van hoa": "EDUC",
    "nang luong": "ENER",
    "moi truong": "ENVI",
    "chinh phu": "GOVE",
    "hanh chinh": "GOVE",
    "y te": "HEAL",
    "suc khoe": "HEAL",
    "tu phap": "JUST",
    "an ninh": "JUST",
    "dat dai": "REGI",
    "do thi": "REGI",
    "dan so": "SOCI",
    "lao dong": "SOCI",
    "ho tich": "SOCI",
    "bao hiem": "SOCI",
    "khoa hoc": "TECH",
    "cong nghe": "TECH",
    "giao thong": "TRAN",
}
"""Folded themes of owners → the authority's data themes; others are keywords only."""
_CREATIVE_COMMONS: Final = re.compile(r"(?i)CC[ -](BY(?:-(?:NC-SA|NC-ND|NC|SA|ND))?)[ -]([1-4]\.[0-9])")
_SPDX: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[.-][A-Za-z0-9]+)+\+?")


def frequency(update_frequency: str) -> str:
    """The authority's IRI; of an unknown word that it is not known."""
    return f"{AUTHORITY}frequency/{FREQUENCIES.get(update_frequency, 'UNKNOWN')}"


def file_type(media_type: str) -> str:
    """The authority's IRI of a format."""
    return f"{AUTHORITY}file-type/{FILE_TYPES[media_type]}"


def data_theme(theme: str) -> str | None:
    """The authority's IRI of an owner's theme, if it is one of those that are known."""
    found = THEMES.get(fold(theme))
    return f"{AUTHORITY}data-theme/{found}" if found else None


def country(spatial: str) -> str | None:
    """The authority's IRI of a country or of one of its parts (VN-HN: VN), if it is one."""
    found = COUNTRIES.get(spatial.strip().split("-")[0].upper())
    return f"{AUTHORITY}country/{found}" if found else None


def licence_iri(licence: str) -> str | None:
    """Where a licence that is named in a known way stands; None for free words."""
    text = licence.strip()
    if re.match(r"https?://[^\s<>\"]+\Z", text):
        return text
    if re.fullmatch(r"(?i)CC0([ -]1\.0)?", text):
        return "https://creativecommons.org/publicdomain/zero/1.0/"
    if found := _CREATIVE_COMMONS.fullmatch(text):
        return f"https://creativecommons.org/licenses/{found[1].lower()}/{found[2]}/"
    return f"https://spdx.org/licenses/{text}" if _SPDX.fullmatch(text) else None


def period(temporal: str) -> tuple[str, str] | None:
    """First and last day of `2025`, `2024-06`, `2024..2025`, `2024-01-01/2024-06-30`; None for free words."""
    ends = re.split(r"\s*(?:\.\.|/|–|—)\s*", temporal.strip())
    if len(ends) == 1 and (years := re.fullmatch(r"(\d{4})\s*-\s*(\d{4})", ends[0])):
        ends = [years[1], years[2]]
    if not 1 <= len(ends) <= 2 or not all(re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", end) for end in ends):
        return None
    first, last = _day(ends[0], first=True), _day(ends[-1], first=False)
    return (first, last) if first and last else None


def _day(text: str, *, first: bool) -> str | None:
    """The first or the last day of a year or a month, or the day itself; None for what no calendar has."""
    year, month, day = (*map(int, text.split("-")), 0, 0)[:3]
    try:
        month = month or (1 if first else 12)
        return date(year, month, day or (1 if first else monthrange(year, month)[1])).isoformat()
    except ValueError:
        return None
