"""Vietnamese as it was written before Unicode: TCVN3 (ABC) and VNI, told apart and turned into letters.

Works on text in which each byte of the old font stands as the character of Windows-1252: so it also mends files
that were saved as UTF-8 or Excel without ever being converted. Tables: TCVN 5712:1993 VN3; VNI-Windows.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, Literal

Letters = Literal["", "tcvn3", "vni"]
_TCVN3: Final = str.maketrans(
    "µ¸¶·¹¨»¾¼½Æ©ÇÊÈÉË®ÌÐÎÏÑªÒÕÓÔÖ×ÝØÜÞßãáâä«åèæçé¬êíëìîïóñòô\xadõøö÷ùúýûüþ¡¢§£¤¥¦",
    "àáảãạăằắẳẵặâầấẩẫậđèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵĂÂĐÊÔƠƯ",
)
_TONES = {"ø": "\u0300", "ù": "\u0301", "û": "\u0309", "õ": "\u0303", "ï": "\u0323"}
_CIRCUMFLEX = {"â": "", "à": "\u0300", "á": "\u0301", "å": "\u0309", "ã": "\u0303", "ä": "\u0323"}
_BREVE = {"ê": "", "è": "\u0300", "é": "\u0301", "ú": "\u0309", "ü": "\u0303", "ë": "\u0323"}
_ALONE = {"ñ": "đ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ô": "ơ", "ö": "ư"}


def _vni_table() -> dict[str, str]:
    """Each letter of VNI, of one character or two, in small, and with a capital first, and in capitals."""
    small = dict(_ALONE)
    for base in "aeouyôö":
        letter = _ALONE.get(base, base)
        small |= {base + mark: letter + tone for mark, tone in _TONES.items()}
        if base in "aeo":
            small |= {base + mark: letter + "\u0302" + tone for mark, tone in _CIRCUMFLEX.items()}
        if base == "a":
            small |= {base + mark: letter + "\u0306" + tone for mark, tone in _BREVE.items()}
    table = {key: unicodedata.normalize("NFC", value) for key, value in small.items()}
    capitals = {key[0].upper() + key[1:]: value.upper() for key, value in table.items()}
    capitals |= {key.upper(): value.upper() for key, value in table.items()}
    return table | capitals


_VNI: Final = _vni_table()
_VNI_LETTER = re.compile("|".join(sorted(map(re.escape, _VNI), key=len, reverse=True)))


def _from_vni(text: str) -> str:
    return _VNI_LETTER.sub(lambda found: _VNI[found[0]], text)


CONVERT: Final[dict[Letters, Callable[[str], str]]] = {
    "": lambda text: text,
    "tcvn3": lambda text: text.translate(_TCVN3),
    "vni": _from_vni,
}
_WORD = re.compile(r"(?:[^\W\d_]|[\u00a1-\u00ff\u0300-\u036f])+")
_TONE = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_SYLLABLE = re.compile(
    "(?:b|ch?|d|đ|gh?|gi|h|kh?|l|m|nh?|ngh?|ph?|qu?|r|s|th?|tr|v|x)?"
    "(?:[iyuo]?[aăâeêioôơuưy]|i[eê]|y[eê]|u[oôơ]|ư[ơ]|u?y[aeê]|oo)[iyuoa]?(?:ch|c|m|ng|nh|n|p|t)?"
)
_ENOUGH = 0.7
_MOST_WORDS = 5_000


def share_of_syllables(text: str) -> tuple[float, int]:
    """Of the words with a letter outside ASCII: the share that can be Vietnamese syllables, and their number."""
    words = [w for w in _WORD.findall(text) if not w.isascii()][:_MOST_WORDS]
    return sum(map(_is_syllable, words)) / max(len(words), 1), len(words)


def _is_syllable(word: str) -> bool:
    apart = unicodedata.normalize("NFD", word.casefold())
    bare, tones = _TONE.subn("", apart)
    return tones <= 1 and _SYLLABLE.fullmatch(unicodedata.normalize("NFC", bare)) is not None


def old_letters(text: str) -> Letters:
    """Which old letters the text is in: "" unless conversion makes Vietnamese of what was none before."""
    if any("\u1ea0" <= c <= "\u1ef9" or c in "ăđơưĂĐƠƯ" for c in text):
        return ""
    as_it_is, words = share_of_syllables(text)
    if not words or as_it_is >= _ENOUGH:
        return ""
    kinds: Sequence[Letters] = ("tcvn3", "vni")
    best = max(kinds, key=lambda kind: share_of_syllables(CONVERT[kind](text))[0])
    reached = share_of_syllables(CONVERT[best](text))[0]
    return best if reached >= _ENOUGH and reached > as_it_is else ""
