"""Vietnamese that a program has spoilt: letters that became "?", or UTF-8 read as Windows-1252 and saved again."""

from __future__ import annotations

import re

from catalog.jailed.refused import Refused

_WORD = re.compile(r"[^\W\d_]{2,}")
_LOST = re.compile(r"(?<![\w?&/=.#])[^\W\d_]{1,5}[?\ufffd][^\W\d_]{1,5}(?![\w?&/=])")
_TWICE = re.compile(
    "(?:\u00c3|\u00c4|\u00c6|\u00e1[\u00ba\u00bb])"
    "[\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122]"
)
"""The bytes of a Vietnamese letter in UTF-8, each as a character of Windows-1252."""
_LETTER = re.compile("[\u1ea0-\u1ef9\u0102\u0103\u0110\u0111\u01a0\u01a1\u01af\u01b0]")
_ENOUGH = 5
_ONE_IN = 50


def require_letters(text: str) -> None:
    """Of the beginning of a file, as characters. Raises Refused: what is lost cannot be guessed."""
    if "?" in text or "\ufffd" in text:
        lost = len(_LOST.findall(text))
        if lost >= _ENOUGH and lost * _ONE_IN >= len(_WORD.findall(text)):
            raise Refused("ingest.letters_lost", count=lost)


def require_read_once(text: str) -> None:
    """Of what was UTF-8. Raises Refused."""
    twice = len(_TWICE.findall(text))
    if twice >= _ENOUGH and twice > len(_LETTER.findall(text)):
        raise Refused("ingest.letters_twice", count=twice)
