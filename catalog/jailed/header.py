"""What the columns of a table are called, and which of them are wanted."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from catalog.jailed.refused import Refused, shown

PROBE_ROWS = 20
"""Among them the header is looked for."""
_VALUE = re.compile(r"\S@\S|\d{7}|\d{3}[ .]\d{3}[ .]\d{3}|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{4}\b|\b\d{4}-\d\d-\d\d\b")
_YEAR = re.compile(r"(19|20)\d\d")
_FEW_NUMBERED = 4
_BY_PLACE = re.compile(r" ?#\d{1,6}$")


def found_in(names: Sequence[str], wanted: Sequence[str]) -> int:
    """How many of the wanted columns a row names, be it by a name that several have."""
    called = {_BY_PLACE.sub("", name) for name in wanted}
    return len((called | set(wanted)) & set(names) - {""})


def is_numbering(row: Sequence[str]) -> bool:
    """Whether a row under the header only numbers the columns, as printed forms do: A, B, 1, 2."""
    marks = [cell.strip().strip("()") for cell in row if cell.strip()]
    letters = sum(map(str.isalpha, marks))
    expected = [*(chr(ord("A") + i) for i in range(letters)), *(str(i + 1) for i in range(len(marks) - letters))]
    return len(marks) >= _FEW_NUMBERED and marks == expected


def is_name(text: str) -> bool:
    """Whether a header may say so: words, or a year."""
    return not _VALUE.search(text) and (any(map(str.isalpha, text)) or bool(_YEAR.fullmatch(text)))


def tidy(name: str) -> str:
    """A column's name without blanks around it, composed (NFC)."""
    return unicodedata.normalize("NFC", name).strip()


def has_data(header: Sequence[str]) -> bool:
    """Whether the first row holds values: a day, a mailbox, a long number is no column's name."""
    return any(_VALUE.search(name) for name in header)


def told_apart(header: Sequence[str]) -> list[str]:
    """Names that differ: "#3" for the third column if it has none, "tên #3" if others have its name too."""
    names = list(map(tidy, header))
    counted = Counter(names)
    made: dict[str, None] = {}
    for place, name in enumerate(names, 1):
        unique = name if name and counted[name] == 1 else f"{name} #{place}".strip()
        while unique in made or (unique != name and unique in counted):
            unique += "*"
        made[unique] = None
    return list(made)


def _places_of(header: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Where each wanted column stands. Raises Refused with all that are absent, or that several are called."""
    names, apart = list(map(tidy, header)), told_apart(header)
    counted, place = Counter(names), {name: i for i, name in enumerate(apart)}
    absent = [name for name in wanted if name not in place and not counted[name]]
    if absent:
        raise Refused("ingest.columns_absent", names=absent)
    twice = {name for name in wanted if counted[name] > 1}
    if twice:
        _refuse_twice([own for name, own in zip(names, apart, strict=True) if name in twice])
    return [place[name] for name in wanted]


def chosen(
    header: Sequence[str], wanted: Sequence[str] | None, *, nameless: bool
) -> tuple[tuple[str, ...], list[int]]:
    """What the wanted columns are called, or, where None are, all, and where they stand.

    `nameless`: also those without a name, or with another's. Raises Refused.
    """
    if wanted is not None:
        return tuple(wanted), _places_of(header, wanted)
    names = told_apart(header) if nameless else list(map(tidy, header))
    if not nameless:
        absent_or_twice(names, ())
    return tuple(names), list(range(len(header)))


def absent_or_twice(names: Sequence[str], wanted: Sequence[str]) -> None:
    """Raises Refused with all wanted names that are absent, or all names that are there twice.

    Columns without a name cannot be wanted, so there may be several.
    """
    known = set(names)
    absent = [n for n in wanted if n not in known]
    if absent:
        raise Refused("ingest.columns_absent", names=absent)
    twice = sorted(n for n, count in Counter(names).items() if count > 1 and n)
    if twice:
        _refuse_twice(twice)


def _refuse_twice(names: Sequence[str]) -> None:
    raise Refused("ingest.columns_twice", columns=shown(names))
