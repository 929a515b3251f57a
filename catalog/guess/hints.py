"""What a column's name says of it, in Vietnamese and English: a first guess, for a person to look at."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final, Literal

from msgspec import Struct

from catalog.search import fold
from catalog.version import Personal


class Hint(Struct, frozen=True):
    """`kind`: identifier, sensitive, consent, or known (an attribute whose meaning is told here)."""

    kind: Literal["identifier", "sensitive", "consent", "known"]
    personal: Personal
    vi: str = ""
    en: str = ""
    unsure: bool = False
    """Whether the word may mean something else where the column has few values."""


_HINTS: Final[tuple[tuple[str, Hint], ...]] = (
    (r"dong y|chap thuan|consent", Hint("consent", "basic")),
    (
        r"cccd|cmnd|cmt|can cuoc|dinh danh|ho chieu|passport|ssn|phone|mobile|sdt|dien thoai|so dt|e ?mail|ho ten|"
        r"ho va ten|full name|first name|last name|surname|dia chi|address|so nha|street|bien so|plate|mst|"
        r"ma so thue|tax code|bhxh|bhyt|so the|so tai khoan|account|iban|card|patient|benh nhan|ma kh|customer|"
        r"url|ip|vi do|kinh do|lat|lon|lng|latitude|longitude|toa do|ghi chu|note|notes|comment|remarks?",
        Hint("identifier", "basic"),
    ),
    (r"income|salary|wage|thu nhap|luong", Hint("sensitive", "sensitive", "Thu nhập", "Income")),
    (r"benh|chan doan|icd|icd10|diagnos[ie]s|disease|illness", Hint("sensitive", "sensitive", "Bệnh", "Illness")),
    (r"race|dan toc|ethnic|ethnicity", Hint("known", "sensitive", "Dân tộc", "Ethnicity")),
    (r"ton giao|religion", Hint("known", "sensitive", "Tôn giáo", "Religion")),
    (r"age|tuoi", Hint("known", "basic", "Tuổi", "Age")),
    (r"sex|gender|gioi tinh|phai", Hint("known", "basic", "Giới tính", "Sex")),
    (r"education|hoc van|trinh do", Hint("known", "basic", "Trình độ học vấn", "Education")),
    (r"marital|hon nhan", Hint("known", "basic", "Tình trạng hôn nhân", "Marital status")),
    (r"occupation|job|nghe|nghe nghiep", Hint("known", "basic", "Nghề nghiệp", "Occupation")),
    (r"country|quoc tich|nationality", Hint("known", "basic", "Quốc gia", "Country")),
    (r"province|tinh|tinh thanh|thanh pho|city", Hint("known", "basic", "Tỉnh, thành phố", "Province")),
    (r"nam sinh|birth year|year of birth|yob", Hint("known", "basic", "Năm sinh", "Year of birth")),
    (r"birth|ngay sinh|dob", Hint("known", "basic", "Ngày sinh", "Date of birth")),
)
_PATTERNS = tuple((re.compile(rf"\b(?:{words})\b"), hint) for words, hint in _HINTS)
_ALONE = frozenset({"ten", "name", "id", "ma", "key", "uuid", "guid", "stt"})


def words_of(name: str) -> str:
    """A column's name as folded words: "GiớiTính", "gioi_tinh" → "gioi tinh"."""
    parts = [" " + b if a.islower() and b.isupper() else b for a, b in pairwise(f" {name}")]
    return " ".join(re.sub(r"[^a-z0-9]+", " ", fold("".join(parts))).split())


def hint_of(name: str) -> Hint | None:
    """What the name says; None: nothing."""
    words = words_of(name)
    if words in _ALONE:
        return Hint("identifier", "basic")
    if words == "khoa":  # a key, or a hospital's department
        return Hint("identifier", "basic", unsure=True)
    return next((hint for pattern, hint in _PATTERNS if pattern.search(words)), None)
