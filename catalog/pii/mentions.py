"""Persons named in the middle of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from catalog.pii.folding import fold
from catalog.pii.names import is_surname, strength
from catalog.pii.provinces import current_province
from catalog.pii.syllables import COMMON_SURNAMES, FAMOUS, GIVENS

_WORD: Final = re.compile(r"[^\W\d_]+['’]?[^\W\d_]*")
_TITLES: Final = re.compile(
    r"(?:^|\W)(?:ong|ba|anh|chi|co|chu|bac|thay|bs|bac si|mr|mrs|ms|dr|kh|khach hang|nguoi nhan|nguoi gui|ho "
    r"ten|ho va ten|benh nhan|bn|"
    r"nhan vien|nv|chu ho|nguoi dai dien|tai xe|lai xe|hoc sinh|sinh vien|dong chi|luat su|giao vien|gv|chu xe|"
    r"nguoi mua|patient|customer|phu huynh|khach|em|chau|be|nguoi(?: [a-z]+){1,3}\s?:)[\s:.,]*$"
)
"""After these a name is read whatever its case."""
_CALLS: Final = re.compile(
    r"(?:^|\W)(?:khach|ten|em|chau|ky boi|lien he|gap|giao cho|cua|boi|la|gui|nhan|name|voi|cho|con|vo|chong|me|"
    r"bo|cha|to|for|by|from|"
    r"thay mat|[a-z]:|nguoi lien he|ong ba|do|cung|duoc|contact|moi|goi|bao|nho)[\s:.,]*$"
)
_PLACES: Final = re.compile(
    r"(?:van phong luat su|vp luat su|van phong cong chung|vpcc|vpls|xa|huyen|thi tran|"
    r"thon|ap|tyt|bvdk|da khoa|tram y te|"
    r"duong|pho|d|cong ty|cty|tnhh|truong|thpt|thcs|tieu hoc|mam non|mau giao|trung hoc|"
    r"dai hoc|benh vien|quan|phuong|cau|ham|cho|ngo|hem|so \d+|"
    r"san pham|thuong hieu|"
    r"doanh nghiep|co phan|tu nhan|dntn|htx|cp|nha sach|cua hang|shop|khach san|nha hang|ca phe|tra|giai|cup|du "
    r"an|gdtx|ttgdtx|bv|pgd|mn|th|dh|cd|chuyen|garage|gara|kho|buu cuc|benh xa|quy|hoc bong|"
    r"toa nha|khu|tuyen|nga tu|nga ba|\d)[\s:.,]*$"
)


_SET_OFF: Final = re.compile(
    r"(?:[\"'”]?\s*[,;:(|/<\n–-]\s*|\s+(?=\+?\d(?:[ .-]?\d){7,})|"
    r"\s+(?=(?:cccd|cmnd|cmt|căn cước|sđt|sdt|đt|dt|hc|mst|bks|bsx|sn|ns|tel)\b))"
    r"[^,;]*[\d@]",
    re.I,
)
_SET_OFF_BEFORE: Final = re.compile(r"\d[^,;:]*\s*[,;:(|/\n–-]\s*$")
"""What parts a name at the beginning from a number that is told of the person."""
_CONFUSED: Final = frozenset(["co", "ba", "chu", "bac", "thay", "chi", "anh", "ong", "to", "be"])
_ACCENTED: Final = frozenset(["cô", "bà", "chú", "bác", "thầy", "chị", "anh", "ông", "bé"])


def people(text: str) -> Iterator[tuple[Literal["person_name"], int, int]]:
    """Surname and what follows it, written as a name; or any way, where the word before it says that it is one."""
    words = list(_WORD.finditer(text))
    place = 0
    while place < len(words):
        end, is_name = _name_at(text, words, place)
        if is_name:
            yield "person_name", words[place].start(), words[end - 1].end()
        place = max(end, place + 1)


def _name_at(text: str, words: list[re.Match[str]], place: int) -> tuple[int, bool]:
    """The index after the last word of a name, or of what is called after one; `place` if there is none."""
    surname = fold(words[place][0])
    if not is_surname(words[place][0]):
        return place, False
    before = fold(text[max(0, words[place].start() - 24) : words[place].start()])
    titled = (
        _TITLES.search(before) is not None
        and _spelled(words[place - 1][0] if place else "")
        and (place < 3 or not _goes_on(text, words, place - 1))
    )
    called = titled or (_CALLS.search(before) is not None and _spelled(words[place - 1][0] if place else ""))
    if _PLACES.search(before):
        return place + _reach(text, words, place, written=True), False
    if not called and _goes_on(text, words, place):
        return place, False
    small = titled and surname in COMMON_SURNAMES and not words[place][0][0].isupper()
    longest = _reach(text, words, place, written=not small)
    for size in range(min(longest, 5), 1, -1):
        chosen = " ".join(each[0] for each in words[place : place + size])
        if words[place][0].isupper() and not chosen.isupper():
            continue  # "CA Thừa Thiên Huế": an office's letters before its place
        strong = strength(chosen)
        apart = _set_off(text, words[place].start(), words[place + size - 1].end())
        if not called and (fold(chosen) in FAMOUS or current_province(chosen) is not None):
            return place + size, False
        enough = (
            strong == "strong"
            or (strong == "likely" and called)
            or (strong == "likely" and size > 2 and surname in COMMON_SURNAMES)
            or (strong == "likely" and size == 3 and not before and _ends_there(text, words, place + size))
            or (strong == "likely" and apart)
            or (titled and strong == "possible" and fold(words[place + size - 1][0]) in GIVENS)
        )
        ends = titled or size == longest or apart  # "Trần Châu Đường | Đen" goes on
        if enough and ends and (size > 2 or called or apart):
            return place + size, True
    return place, False


def _ends_there(text: str, words: list[re.Match[str]], end: int) -> bool:
    """Whether a sentence that begins with it goes on in small letters: a title of wares goes on in capitals."""
    return end < len(words) and words[end][0][0].islower() and text[: words[0].start()].strip() == ""


def _set_off(text: str, start: int, end: int) -> bool:
    """Whether it stands apart at one end of a cell, a number at the other."""
    return (not text[:start].strip(" \"'“") and _SET_OFF.match(text, end) is not None) or (
        not text[end:].strip(" )") and _SET_OFF_BEFORE.search(text[:start]) is not None
    )


def _spelled(word: str) -> bool:
    """Not "cổ" or "bả" where the title would be "cô" or "bà"."""
    lower = word.lower()
    return lower.isascii() or fold(lower) not in _CONFUSED or lower in _ACCENTED


def _goes_on(text: str, words: list[re.Match[str]], place: int) -> bool:
    """Whether a word with a capital stands right before: then this is the middle of some other name."""
    if place == 0 or text[words[place - 1].end() : words[place].start()] != " ":
        return False
    return words[place - 1][0][0].isupper() and not text.isupper()


def _reach(text: str, words: list[re.Match[str]], place: int, *, written: bool) -> int:
    """How many words stand together from here, each with a capital where the name is `written` so."""
    count = 0
    for one, word in enumerate(words[place:], place):
        apart = one > place and text[words[one - 1].end() : word.start()] != " "
        if apart or (written and not word[0][0].isupper()):
            break
        count += 1
    return count
