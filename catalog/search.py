"""Folding of Vietnamese text for search: one place, used for what is stored and for what is asked."""

from __future__ import annotations

import re
import unicodedata


def fold(text: str) -> str:
    """Lower case without diacritics, đ as d, blanks single: "Dân số", "DAN SO" and "dân  số" fold alike."""
    plain = unicodedata.normalize("NFD", text.casefold()).replace("đ", "d")
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def plain(text: str) -> str:
    """Folded words with one blank before each, so that " word" finds only beginnings of words."""
    return "".join(f" {word}" for word in re.findall(r"[0-9a-z]+", fold(text)))
