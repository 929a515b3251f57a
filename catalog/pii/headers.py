"""What a column's name says of it: for a kind, against it, or nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

from catalog.pii.folding import fold
from catalog.pii.header_words import AGAINST, ANY_CODE, CODED, FOR, WORDS
from catalog.pii.kinds import Kind

Hint = Literal["for", "against", "none"]


_NUMBERED: Final = re.compile(
    r"\W*(?:truong|cot|col|column|field|[a-z]|gt|tt|var|unnamed|data|thong tin|info|gia tri|value)[\W_]*\d+\W*"
)
"""The name of a place in a row: it says nothing of what stands there ("trường 5" is no school)."""
_SOME_DATE: Final = re.compile(
    r"^(?:ngay|nam|thang|date|day|year) "
    r"(?!(?:ngay|thang|nam|va|gio|of|the|time|month|year|day|date)\b)[a-z]{2,}|"
    r"[a-z]{2,}(?<!birth) (?:date|day|year)$"
)
"""The day of something else."""
_SOMEBODY: Final = re.compile(
    r"\b(?!(?:benh|cong|thu|hoc|tu|dien|hoa|nghi|thanh|ky|phu|bao)\b)[a-z]{2,} vien\b|"
    r"\b(?:hlv|y ta|ca|nhom|to|doi|doan|ban|vien|hieu|bep|co|lop|thon|phan|khoa|huan luyen vien) truong\b|"
    r"\b(?:truong|pho) (?:thon|xom|ap|ban|phong|khoa|nhom|tram|doan|ca|kip|du an|chi nhanh|bo phan)\b|"
    r"\b(?:nguoi (?!nuoc\b|viet\b)|chu (?!thich|de\b|ky|dau tu|truong|nhat|quan|y\b|ngu|trinh|dong\b))[a-z]{2,}|"
    r"[a-z]ed (?:by|to)\b"
)
"""Who does or holds something: "người phê duyệt", "chủ đất", "assigned to"."""
_SOME_CODE: Final = re.compile(r"(?:ma|code) (?!so$)[a-z]|[a-z]+ code$")
"""The code of something."""


@lru_cache(maxsize=4_096)
def words(header: str) -> str:
    """Folded, split at case, digits and signs: "SoDienThoai1" → "so dien thoai"."""
    split = "".join(
        f" {sign}" if sign.isupper() and place and header[place - 1].islower() else sign
        for place, sign in enumerate(header)
    )
    said = " ".join(part for word in re.findall(r"[a-z]+", fold(split)) for part in _parted(word))
    return re.sub(r"\bng (?=\w)(?!sinh)", "nguoi ", re.sub(r"\bthong tin(?: |$)", "", said))


@lru_cache(maxsize=4_096)
def _parted(word: str) -> tuple[str, ...]:
    """Words that were written together, taken apart into the fewest that are known: "sodtme" → so, dt, me."""
    if word in WORDS or not 4 <= len(word) <= 40:
        return (word,)
    best: list[tuple[str, ...] | None] = [(), *[None] * len(word)]
    for end in range(2, len(word) + 1):
        for begin in range(max(0, end - 12), end - 1):
            before = best[begin]
            if before is None or word[begin:end] not in WORDS:
                continue
            if (now := best[end]) is None or len(before) + 1 < len(now):
                best[end] = (*before, word[begin:end])
    return best[-1] or (word,)


def spoken(header: str) -> str:
    """Its words; none of a name that only counts columns ("x 33" is no axis)."""
    return "" if _NUMBERED.fullmatch(fold(header)) else words(header)


@lru_cache(maxsize=16_384)
def hint(header: str, kind: Kind) -> Hint:
    """What `header` says of `kind`. The longer word wins where both speak: "ngày cấp CCCD" is a date."""
    said = spoken(header)
    if not said:
        return "none"
    wanted = _longest(said, FOR.get(kind, frozenset()))
    if kind == "person_name" and (whose := _SOMEBODY.search(said)):
        wanted = max(wanted, len(whose[0].replace(" ", "")))
    unwanted = _longest(said, AGAINST.get(kind, frozenset()))
    if kind in CODED and (code := _longest(said, ANY_CODE)) > unwanted:
        # What a column is called stands first: "BKS xe đưa đón" is no order, "mã đơn SĐT" no telephone.
        unwanted = code - (code == wanted and _first(said, FOR[kind]) < _first(said, ANY_CODE))
    if wanted > unwanted:
        return "for"
    if kind in CODED and not wanted and _SOME_CODE.match(said):
        return "against"
    if kind == "birth_date" and _SOME_DATE.search(said):
        return "against"
    return "against" if unwanted else "none"


@lru_cache(maxsize=65_536)
def _longest(said: str, phrases: frozenset[str]) -> int:
    squeezed = said.replace(" ", "")
    spaced = f" {said} "
    best = 0
    for phrase in phrases:
        joined = phrase.replace(" ", "")
        if f" {phrase} " in spaced or squeezed == joined or (len(joined) > 5 and joined in squeezed):
            best = max(best, len(joined))
    return best


@lru_cache(maxsize=65_536)
def _first(said: str, phrases: frozenset[str]) -> int:
    """Where the first of the phrases stands."""
    spaced = f" {said} "
    return min((place for phrase in phrases if (place := spaced.find(f" {phrase} ")) >= 0), default=len(spaced))


def is_vague(header: str) -> bool:
    """Whether it speaks of a name and not of whose: "stop name", "tên gói"."""
    said = words(header)
    if _SOMEBODY.search(said):
        return False
    return (said.startswith("ten ") or said.endswith(" name")) and _longest(said, FOR["person_name"]) <= 4
