"""Names of persons: Vietnamese ones by their syllables, with or without diacritics, whatever the case."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final, Literal

from catalog.pii.folding import fold
from catalog.pii.syllables import (
    ACCENTED,
    CLANS,
    COMMON_SURNAMES,
    FAMOUS,
    FOREIGN,
    GIVENS,
    MIDDLES,
    SPELLINGS,
    SURNAMES,
    TITLES,
)

Strength = Literal["strong", "likely", "possible", "no"]

_TITLE: Final = re.compile(
    r"(?:(?:"
    + "|".join(sorted((t.replace(" ", r"[\s.]+") for t in TITLES), key=len, reverse=True))
    + r")(?:\.\s*|:\s*|\s+))"
)
_PARENTHESES: Final = re.compile(r"\s*[(\[].{0,40}[)\]]\s*$")
_TAIL: Final = re.compile(r"\s*(?:[-–,;].{0,40}|\s/\s.{0,40}|\d{1,4})$")
_FIRMS: Final = re.compile(
    r"\b(?:cong ty|cty|tnhh|co phan|tap doan|dntn|doanh nghiep|hop tac xa|htx|ltd|jsc|corp|inc|llc|group"
    r"|co\.?,? ?ltd|ngan hang|benh vien|phong kham|cua hang|shop|store|nha hang|quan an|khach san|hotel"
    r"|chi nhanh|xi nghiep|nha may|sieu thi|ho kinh doanh|hkd|trung tam|ttgdtx|gdtx|ttyt|tyt|bv|bvdk|pgd"
    r"|uy ban|ubnd|truong (?:thpt|thcs"
    r"|tieu hoc|dai hoc|cao dang|mam non|th|dh|cd|mn)|thpt|thcs|tieu hoc|mam non|mau giao"
    r"|trung hoc|tap hoa|nha xe|van phong (?:cong chung|luat"
    r"|dai dien)|vpcc|vpls|pcc|chung cu|premium|nha thuoc|nha sach|hoc bong|giai thuong|hoi truong|giang duong)\b"
)
_NAMED_TOO: Final = frozenset(["trung tam", "quan an", "nha hang", "co phan"])
_ASIDE: Final = re.compile(r"^[(\[][^)\]]{1,20}[)\]]\s*")
_CODE: Final = re.compile(r"^[a-z]{1,4}\d{2,8}\s*[-–:_|]\s*")
"""Of the person, before the name: "nv0012 - le van an"."""
_LISTED: Final = re.compile(r"^\d{1,2}[.)]\s*")
_ANY_TITLE: Final = re.compile(r"(?:[a-z]{2,5}\.\s*)+(?=[a-z]+\s+[a-z])")
"""Shortened, before a name that is written out: "KTS. Lại Xuân Trường"."""
_SHORT_TITLE: Final = re.compile(r"^\s*(?:[AaCcOoBb][.:]|(?:TX|LX|GDV|KTV|TVV|ĐDV)[.:]?)\s+")
_NOT_PERSONS: Final = re.compile(
    r"\b(?:ct|cp|truong|quan|tiem|spa|salon|studio|media|garage|gara|vien|so|phong|ban|hoi|lien doan|xuong"
    r"|trang trai|farm|cafe|coffee|ca phe|tra|banh|duong|pho|ngo|hem|cau|cho|khu|toa|xa|huyen|tinh|thi xa"
    r"|thanh pho|tp|ap|thon|gold|plus|pro|size|kg|ml|gr|vnd|hop|goi|chai|tui|set|combo)\b"
)
"""Also syllables of names: only what is no name by its syllables is kept out by them."""
_NOTHING: Final = re.compile(
    r"khong|chua|dang|khac|xem|theo|cung|chi|nhu|none|unknown|trong|vo|null"
    r"|test|not|no|mot|nhieu|tat|cac|bo"
)
_NOTHING_SAID: Final = re.compile(
    r"khong (?:co|ro|biet|xac dinh|ten|nho|tra loi|khai)|chua (?:co|ro|cap nhat|biet|xac dinh|dang ky)"
    r"|dang cap nhat|vo danh|an danh"
)
_CALLED: Final = re.compile(
    r"(?:\s+(?:MR|MRS|MS|MISS|MSTR|INF)|,\s*(?:MD|PhD|ThS|TS|GS|PGS|BS|CK[12I]{1,2}|CPA|CFA|MBA|MSc|BSc|RN))\.?$"
)
_WORD: Final = re.compile(r"[^\W\d_]+")
_LETTERS: Final = re.compile(r"[^\W\d_](?:[^\W\d_]|['’ʼ.-])*")


_INITIAL: Final = re.compile(r"[a-z]\.")


def bare_name(cell: str) -> str:
    """Folded, without titles before and remarks after: "Ông Nguyễn Văn A (bố)" → "nguyen van a"."""
    text = _PARENTHESES.sub("", _ASIDE.sub("", _CODE.sub("", fold(cell))))
    text = _TAIL.sub("", text.replace(" - ", "-") if "-" not in text else text)
    left = text
    while found := _TITLE.match(left):
        left = left[found.end() :]
        rest = left.split()
        own = "." not in found[0] and _is_own(found[0].strip(" :"), cell)
        turned = bool(rest) and rest[-1] in COMMON_SURNAMES and rest[0] in GIVENS
        if len(rest) > 1 and (turned or rest[0] in (COMMON_SURNAMES if own else SURNAMES | FOREIGN)):
            text = left
    if (called := _ANY_TITLE.match(text)) and text[called.end() :].split()[0] in SURNAMES:
        text = text[called.end() :]
    return text.strip(" .,:;*\"'")


def _is_own(word: str, cell: str) -> bool:
    """Whether what could be a title is spelled as the surname: "Châu Hữu Phong" has no title, "Cháu Phong" has."""
    return word in SURNAMES and any(is_surname(each) for each in _WORD.findall(cell) if fold(each) == word)


def joined(cell: str) -> str:
    """Family name first, where a comma parts it from the rest: "Trần, Ngọc Oanh", "HUYNH/TRONG KHANH MR"."""
    left, comma, right = _CALLED.sub("", cell.replace("/", ",")).partition(",")
    if not comma or "," in right or len(left.split()) > 3 or len(right.split()) > 3:
        return cell
    for first, second in ((left, right), (right, left)):
        if first.split() and is_surname(first.split()[0]):
            return f"{first.strip()} {second.strip()}"
    return cell


def is_surname(word: str) -> bool:
    """As it is spelled: with diacritics only if they are the surname's own."""
    folded = fold(word)
    lower = unicodedata.normalize("NFC", word).lower()
    if lower.isascii() and folded in ACCENTED:
        return False
    return folded in SURNAMES and (lower.isascii() or folded not in SPELLINGS or lower in SPELLINGS[folded])


def is_firm(folded: str) -> bool:
    """Speaks of a firm; but "Trung Tâm", "Quân An", "Nhã Hằng" at the end of a name are given names."""
    found = _FIRMS.search(folded)
    if found is None or found[0] not in _NAMED_TOO:
        return found is not None
    begins = folded[: found.start()].split()
    return not (folded.endswith(found[0]) and 0 < len(begins) < 4 and begins[0] in SURNAMES)


_AND: Final = re.compile(r"\s*[;&\n|+,/]\s*(?:\d{1,2}[.)]\s*)?|\s+(?:và|va|and)\s+", re.I)
_ORDER: Final[tuple[Strength, ...]] = ("no", "possible", "likely", "strong")


def persons(cell: str) -> list[str]:
    """What a cell of several names parts into: "Ông Lê An và bà Trần Thu"; a name with its commas in one piece."""
    several = [piece for piece in _AND.split(_LISTED.sub("", cell)) if piece]
    return several if len(several) < 9 and all(len(piece.split()) > 1 for piece in several) else [cell]


@lru_cache(maxsize=65_536)
def strength(cell: str) -> Strength:
    """strong: surname, given name and a syllable that stands between; likely: surname and given name; possible:
    only the form of a name."""
    folded = fold(cell)
    if is_firm(folded):
        return "no"
    grades = [_ORDER.index(strength(each)) for each in persons(cell) if each != cell]
    weakest = _ORDER[min(grades, default=0)]
    if weakest != "no":
        return weakest
    return _of_one(folded, cell)


def _of_one(folded: str, cell: str) -> Strength:
    if (title := _TITLE.match(folded)) and folded[title.end() :] in GIVENS and folded not in FAMOUS:
        return "likely"  # "cô Tâm"
    cell = _SHORT_TITLE.sub("", cell)
    text = bare_name(joined(cell))
    tokens = text.split()
    if not 1 < len(tokens) < 8 or not all(_LETTERS.fullmatch(token) and len(token) < 16 for token in tokens):
        return "no"
    if text in FAMOUS:
        return "possible"
    if len(tokens) > 2 and tokens[-1] in GIVENS and all(_INITIAL.fullmatch(token) for token in tokens[:-1]):
        return "likely"  # "N. V. Phong"; one alone is a unit of places too: "P. An"
    straight = _vietnamese(tokens)
    if straight != "no" and not any(is_surname(word) for word in _WORD.findall(cell) if fold(word) == tokens[0]):
        straight = "no"
    if straight in ("strong", "likely"):
        return straight
    turned: Strength = "no"
    if tokens[-1] in COMMON_SURNAMES and is_surname(_WORD.findall(cell)[-1]):  # "Vân Trần", as exports turn it
        turned = _vietnamese([tokens[-1], *tokens[:-1]])
    if turned in ("strong", "likely"):
        return "likely"
    if _of_another_people(tokens, cell):
        return "likely"
    if _NOT_PERSONS.search(text):
        return "possible" if straight != "no" and tokens[-1] in GIVENS else "no"
    if tokens[0] in FOREIGN and len(tokens) < 5 and tokens[-1] not in GIVENS - FOREIGN:
        return "likely"
    return "possible" if tokens[0] in SURNAMES else straight


def _vietnamese(tokens: list[str]) -> Strength:
    surname, given = tokens[0], tokens[-1]
    if surname not in SURNAMES:
        return "no"
    between = tokens[1:-1]
    common = surname in COMMON_SURNAMES
    ends_well = given in GIVENS or (len(given.strip(".")) == 1 and common)
    if len(between) == 1 and between[0] in ("van", "thi") and (common or ends_well or given not in _NOT_GIVEN):
        return "strong"  # "Lò Văn Pan": given names of the mountains are in no list
    if not ends_well or not all(_middle(token) for token in between):
        return "possible"
    if any(token.endswith(".") for token in between):
        return "strong"  # "Tạ C. Việt": nothing but a name is shortened so
    if between and any(token in MIDDLES for token in between):
        return "strong" if common or between[0] in ("van", "thi", "duc", "huu", "dinh") else "likely"
    return "likely" if common or between else "possible"


_NOT_GIVEN: Final = frozenset(["hoa", "hoc", "xa", "te", "phong", "moi", "tran", "tu", "ban", "truong", "phu"])
"""What "văn" and "thị" make another word of: "văn hóa", "thị trấn"."""


def _of_another_people(tokens: list[str], cell: str) -> bool:
    """ "H'Hen Niê", "Y Thịnh Êban", "Sùng A Chua", "Tòng Thị Phóng": by a mark of sex or a clan, in capitals."""
    if len(tokens) > 5 or not all(word[0].isupper() for word in cell.split() if word[0].isalpha()):
        return False
    first, last, between = tokens[0], tokens[-1], tokens[1:-1]
    if first[:2] in ("h'", "k'", "r'") or last[:2] == "h'" or first in CLANS or last in CLANS:
        return True
    if "".join(tokens[:2]) in CLANS or "".join(tokens[-2:]) in CLANS:
        return True
    marked = between[:1] == ["thi"] and "Thị" in unicodedata.normalize("NFC", cell).title().split()[1:-1]
    return (marked and last not in _NOT_GIVEN) or (
        first in SURNAMES
        and between in (["a"], ["seo"], ["mi"], ["y"], ["sa"], ["so"], ["soc"], ["lao"], ["sy"], ["su"])
    )


def _middle(token: str) -> bool:
    return token in MIDDLES or token in GIVENS or token in SURNAMES or len(token.strip(".")) == 1


def is_company(cell: str) -> bool:
    """Speaks of a firm, a school, a shop, a street or a ware."""
    text = fold(cell)
    return is_firm(text) or _NOT_PERSONS.search(text) is not None


def is_part(cell: str) -> bool:
    """A part of a name alone, one to four syllables: only where the header says that it is one."""
    tokens = bare_name(cell).split()
    if not 0 < len(tokens) < 5 or not all(_LETTERS.fullmatch(token) for token in tokens):
        return False
    if _FIRMS.search(" ".join(tokens)) or _NOTHING_SAID.fullmatch(" ".join(tokens)):
        return False
    return tokens[-1] in GIVENS or tokens[-1] in MIDDLES or tokens[0] in SURNAMES or tokens[0] in FOREIGN


def has_form(cell: str) -> bool:
    """Two to seven words of letters only, none of a firm's: enough in a column that holds names anyway."""
    if strength(cell) in ("strong", "likely"):
        return True
    if len(several := persons(cell)) > 1 and all(map(has_form, several)):
        return True
    text = bare_name(joined(_SHORT_TITLE.sub("", cell))).replace(",", "")
    tokens = text.split()
    if not 1 < len(tokens) < 8 or not all(_LETTERS.fullmatch(token) for token in tokens):
        return False
    if _NOTHING_SAID.fullmatch(text) or is_firm(text):
        return False
    if tokens[0] in SURNAMES and tokens[-1] in GIVENS:
        return True
    if tokens[-1] in GIVENS and len(tokens) > 2 and all(map(_middle, tokens[1:-1])) and is_surname(tokens[0]):
        return True
    if _NOT_PERSONS.search(text) or _NOTHING.fullmatch(tokens[0]):
        return False
    written = all(word[0].isupper() for word in cell.split() if word[0].isalpha())
    return tokens[0] in SURNAMES or tokens[-1] in GIVENS or written
