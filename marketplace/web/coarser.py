"""What `catalog.transforms.describe` says in version.json ("4 groups | drop"), in the reader's language."""

from __future__ import annotations

import re
from typing import Final

from marketplace.texts import Language
from marketplace.web.words import say

_FORMS: Final = (
    (re.compile(r"none"), "none", ()),
    (re.compile(r"drop"), "drop", ()),
    (re.compile(r"bins (\S+)"), "bins", ("at",)),
    (re.compile(r"(\d+) groups"), "groups", ("count",)),
    (re.compile(r"hierarchy (\S+) level (\d+)"), "hierarchy", ("name", "level")),
    (re.compile(r"truncate (\w+)"), "truncate", ("to",)),
    (re.compile(r"clamp (\S+)\.\.(\S+)"), "clamp", ("low", "high")),
    (re.compile(r"top_code (\S+)"), "top_code", ("at",)),
    (re.compile(r"bottom_code (\S+)"), "bottom_code", ("at",)),
    (re.compile(r"bottom_code (\S+) top_code (\S+)"), "both_codes", ("low", "high")),
)


def coarser(text: str, language: Language) -> str:
    """Level by level; what is none of ours stays as it is written."""
    return " | ".join(_told(level, language) for level in text.split(" | "))


def _told(level: str, language: Language) -> str:
    for form, key, names in _FORMS:
        found = form.fullmatch(level)
        if found is not None:
            params = dict(zip(names, found.groups(), strict=True))
            if key == "truncate":
                params["to"] = say(f"transform.to.{params['to']}", language)
            return say(f"transform.{key}", language, **params)
    return level
