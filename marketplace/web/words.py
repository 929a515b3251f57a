"""The words of the pages: `marketplace/texts/pages.json`, Vietnamese first, and the choice of language."""

from __future__ import annotations

from functools import cache

import msgspec

from marketplace.texts import ROOT, Language


class Word(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    vi: str
    en: str


@cache
def words() -> dict[str, Word]:
    """Every key of the pages with both languages. Raises msgspec.ValidationError when one is missing."""
    return msgspec.json.decode((ROOT / "marketplace/texts/pages.json").read_bytes(), type=dict[str, Word])


def say(key: str, language: Language, **params: object) -> str:
    """The words under `key`, placeholders `{name}` filled. Raises KeyError for a key or name that is not there."""
    word = words()[key]
    return (word.vi if language == "vi" else word.en).format_map(params)


def language_of(cookie: str | None) -> Language:
    """Vietnamese unless the reader chose English."""
    return "en" if cookie == "en" else "vi"
