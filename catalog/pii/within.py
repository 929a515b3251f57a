"""Personal data in the middle of a text: a form with a check, or a weaker form after a word that says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from typing import Final

from msgspec import Struct

from catalog.pii.addresses import parts
from catalog.pii.contacts import could_be_phone, is_email, is_phone
from catalog.pii.digits import (
    is_bank_card,
    is_citizen_id,
    is_health_card,
    is_old_citizen_id,
    is_passport,
    is_plate,
    is_tax_code,
)
from catalog.pii.folding import fold
from catalog.pii.kinds import Kind
from catalog.pii.mentions import people
from catalog.pii.times import is_birth, is_place, is_told_of_birth

_MAX_CHARACTERS: Final = 2_000
_BEFORE: Final = 28
_CODES: Final = re.compile(
    r"\b(?:don hang|ma don|don|ma|so don|hoa don|hd|invoice|order|van don|tracking|sku|barcode|ma vach|seri|"
    r"serial|imei|lo|batch|"
    r"tham chieu|ref|giao dich|gd|chung tu|phieu|bien lai|hop dong|tai khoan|stk|tk|so tien|tien|gia|ticket|id|"
    r"trace|code|ms|(?:ma|so) kien|kien hang|ban|"
    r"bill|cong van|ho so|so ct|ctu|txn|lsx|po)\b[^a-z0-9]{0,3}(?:so|no|code|id|la|hang)?[^a-z0-9]{0,4}$"
)


_IN_A_CODE: Final = re.compile(r"(?<!\S)(?=\S*\d)(?=\S*[A-Z])[A-Z0-9-]+-$")
"""Of a code of letters and figures in groups a part, and no number of its own."""


_OPAQUE: Final = re.compile(
    r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b|"
    r"\b(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{24,}\b", re.I,
)  # fmt: skip
"""UUIDs, IBANs and digests: what figures stand in them is chance."""


class Match(Struct, frozen=True):
    """Where in a text, and of which kind."""

    kind: Kind
    start: int
    end: int


class _Rule(Struct, frozen=True):
    """`says`: the word that must stand before it, where the form alone is too weak."""

    kind: Kind
    form: re.Pattern[str]
    check: Callable[[str], bool]
    says: re.Pattern[str] | None = None


def _said(words: str) -> re.Pattern[str]:
    return re.compile(
        rf"\b(?:{words})\b(?:[^\w]{{0,3}}(?:so|no|number|la|cua|cu|moi|khach|kh|toi|em|minh|"
        r"ca nhan|nguoi mua|hieu|xe|is)){0,3}[^\w]{0,4}$"
    )


_TAX: Final = _said("mst|ma so thue|ma thue|tax code|tax id|tax|tin")
_INSURANCE: Final = _said(
    "bhxh|bao hiem xa hoi|bhyt|bao hiem y te|so bao hiem|ma bao hiem|social insurance|so so bh|vssid"
)


_CARDS: Final = (
    _Rule("email", re.compile(r"[A-Za-z0-9][\w.%+'-]*@[\w-]+(?:\.[\w-]+)+"), is_email),
    _Rule(
        "bank_card",
        re.compile(
            r"(?<![\w.,-])(?:\d{13,19}|\d{4}(?:[ -]\d{4}){2}[ -]\d{3}|"
            r"\d{4}(?:[ -]\d{4}){3}(?:[ -]?\d{3})?|\d{4}[ -]\d{6}[ -]\d{5})(?![\w-])"
        ),
        is_bank_card,
    ),
    _Rule(
        "social_insurance",
        re.compile(r"\b[A-Z]{2}[ -]?[1-5][ -]?\d{2}[ -]?(?:\d[ -]?){9}\d\b", re.I),
        is_health_card,
    ),
)
_CITIZEN_ID: Final = re.compile(r"(?<![\w.,-])0\d{2}(?:[ .]?\d{3}){3}(?![\d-])")
_COMPACT: Final = r"\d{2}[A-Z][A-Z0-9]?\d{5}"
_NUMBERS: Final = (
    _Rule("tax_code", re.compile(r"(?<!\d)\d{10}(?:-?\d{3})?(?!\d)"), is_tax_code, _TAX),
    _Rule("social_insurance", re.compile(r"(?<!\d)\d{10}(?!\d)"), lambda _: True, _INSURANCE),
    _Rule(
        "old_citizen_id",
        re.compile(r"(?<!\d)\d{3}[ .]?\d{3}[ .]?\d{3}(?!\d)"),
        is_old_citizen_id,
        _said("cmnd|cmt|cmtnd|chung minh|chung minh thu|chung minh nhan dan|cccd|can cuoc|id card|giay to"),
    ),
    _Rule(
        "phone", re.compile(r"(?<![\w+])(?<!\d[.-])\(?(?:\+?84|0)\)?(?:[ ._()–-]{0,2}\d){9,10}(?!\d)"), is_phone
    ),
    _Rule(
        "phone",
        re.compile(r"(?<![\w+])\(?(?:\+?84|0)\)?(?:[ ._()–-]{0,2}\d){9}(?!\d)"),
        could_be_phone,
        _said(
            "sdt|so dien thoai|dien thoai|dt|dtdd|di dong|phone|mobile|tel|zalo|lien he|lien lac|hotline|"
            "goi|alo|lh|so|viber|call"
        ),
    ),
    _Rule("phone", re.compile(r"(?<![\w+.,/-])0[35789]\d{8}(?![\w/-])"), could_be_phone),
    _Rule("passport", re.compile(r"\b[A-Z]\d{7,8}\b", re.I), is_passport, _said("ho chieu|passport|hc|pp")),
    _Rule(
        "plate",
        re.compile(r"\b\d{2}[A-Z][A-Z0-9]?[ -]\d{3}\.?\d{2}\b|\b\d{2}-[A-Z][A-Z1-9][ -]\d{3}\.?\d{2}\b", re.I),
        is_plate,
    ),
    _Rule(
        "plate",
        re.compile(r"\b\d{2}-?[A-Z][A-Z0-9]?[ -]?(?:\d{3}\.?\d{2}|\d{4})\b", re.I),
        is_plate,
        _said("bien so|bien|bks|bsx|bien kiem soat|bien xe|xe|plate|o to|xe may|bien ks|oto|taxi|mo to|gan may"),
    ),
    _Rule(
        "plate",
        re.compile(rf"(?:^|(?<= [-–] )|(?<=[/|;&(])|(?<=[/|;&(] )){_COMPACT}(?=\s*(?:$| [-–]|[/|;&()]))", re.I),
        is_plate,
    ),
    _Rule("coordinates", re.compile(r"\d{1,3}[.]\d{4,}\s?[,;/ ]\s?\d{1,3}[.]\d{4,}"), is_place),
)
_CHIP: Final = re.compile(r"(0\d{11})\|(\d{9})?\|([^|\d]{2,60})\|(\d{8})\|")
_DAY: Final = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}-\d{2}-\d{2}|\d{1,2}[/.-]\d{1,2}[/.-]\d{2}(?!\d)")
_ASIDE: Final = re.compile(r"\s*\(\s*(\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}-\d{2}-\d{2})\s*\)")
_YEAR: Final = re.compile(r"\b(?:19|20)\d{2}\b(?![./-]\d)")
_BORN_IN: Final = _said("sinh nam|nam sinh|sn|yob|born in|year of birth")
_BORN: Final = _said("sinh ngay|ngay sinh|sinh|ns|dob|born|date of birth|sn|sinh nam|sinh nhat")


@lru_cache(maxsize=4)
def _rules(year: int) -> tuple[_Rule, ...]:
    """The stronger before the weaker: of two matches that overlap the first one stands."""
    return (
        *_CARDS,
        _Rule("citizen_id", _CITIZEN_ID, partial(is_citizen_id, year=year)),
        *_NUMBERS,
        _Rule("birth_date", _DAY, partial(is_birth, year=year), _BORN),
        _Rule("birth_date", _YEAR, partial(is_told_of_birth, year=year), _BORN_IN),
    )


def inside(text: str, *, year: int, told: frozenset[Kind] = frozenset()) -> list[Match]:
    """What is found, in no order; two matches never overlap. Only the first 2,000 characters are read.
    `told`: kinds that the column's name says, so that no word in the text needs to."""
    text = _OPAQUE.sub(_struck, text[:_MAX_CHARACTERS])
    found: list[Match] = []
    taken = [False] * len(text)
    for match in [*_chip(text), *_formed(text, _rules(year), told), *_address(text), *people(text)]:
        kind, start, end = match
        if not any(taken[start:end]):
            taken[start:end] = [True] * (end - start)
            found.append(Match(kind, start, end))
    return [*found, *_born_beside(text, found, year)]


def _chip(text: str) -> Iterator[tuple[Kind, int, int]]:
    """What the square on a citizen's card says, as readers of it write it into one cell."""
    if found := _CHIP.match(text):
        kinds: tuple[Kind, ...] = ("citizen_id", "old_citizen_id", "person_name", "birth_date")
        yield from ((kind, found.start(i), found.end(i)) for i, kind in enumerate(kinds, 1) if found[i])


def _born_beside(text: str, found: list[Match], year: int) -> Iterator[Match]:
    """A day in parentheses after a person."""
    for person in found:
        if (
            person.kind == "person_name"
            and (day := _ASIDE.match(text, person.end))
            and is_birth(day[1], year=year)
        ):
            yield Match("birth_date", day.start(1), day.end(1))


def _struck(found: re.Match[str]) -> str:
    """Of the same length; but a BHYT card is written as an IBAN is."""
    return found[0] if is_health_card(found[0]) else "#" * len(found[0])


def _formed(text: str, rules: tuple[_Rule, ...], told: frozenset[Kind]) -> Iterator[tuple[Kind, int, int]]:
    for rule in rules:
        for each in rule.form.finditer(text):
            before = fold(text[max(0, each.start() - _BEFORE) : each.start()].replace(".", " "))
            if rule.says is not None and rule.kind not in told and not rule.says.search(before):
                continue
            if (rule.says is None or rule.kind == "phone") and rule.kind != "email" and _CODES.search(before):
                continue
            if rule.kind == "phone" and _IN_A_CODE.search(text[max(0, each.start() - _BEFORE) : each.start()]):
                continue
            if rule.check(each[0]):
                yield rule.kind, each.start(), each.end()


_STARTS: Final = re.compile(
    r"(?:\b(?:số|so|sn|số nhà|so nha|thôn|thon|ấp|tổ|xóm|ngõ|ngo|hẻm|hem|kiệt|lô|căn hộ|chung cư|khu phố|kp|khu|"
    r"bản|buôn|đội|tdp|tổ dân phố)\s+\w|\bkp\s?\d|"
    r"(?<![\d.,/-])\d{1,4}(?:[A-Za-z]|bis)?(?:[/-]\d{1,4}[A-Za-z]?){0,3}\s+(?=[^\W\d_]|(?:30|3|2|19)(?:/\d|\s+tháng)))",
    re.I,
)


_COMMA: Final = re.compile(r",| - ")


def _address(text: str) -> Iterator[tuple[Kind, int, int]]:
    """From a house or hamlet on, as far as pieces between commas name places."""
    for begin in _STARTS.finditer(text):
        pieces = _COMMA.split(text[begin.start() : begin.start() + 200])
        units = places = length = end = strange = 0
        for piece in pieces:
            short = re.split(r"[;\n!?]|\.\s+(?=[A-ZĐ][a-zà-ỹ]+ [a-zà-ỹ])|\.$", piece)[0]
            u, p = _best(short)
            length += len(short) + (1 if text[begin.start() + length + len(piece) :].startswith(",") else 3)
            if u + p == 0:  # a district or quarter that no list has
                strange += 1
                if strange > 2 or len(short.split()) > 4:
                    break
            else:
                units, places, end = units + u, places + p, length
            if len(short) < len(piece):
                break
        if units and places and units + places >= 2:
            yield "address", begin.start(), min(begin.start() + end - 1, len(text))
            return


def _best(piece: str) -> tuple[int, int]:
    """The piece, or its first words where a sentence goes on after the place."""
    words = piece.split()
    for size in (len(words), 6, 5, 4, 3, 2):
        if 0 < size <= len(words):
            found = parts(" ".join(words[:size]))
            if sum(found):
                return found
    return 0, 0
