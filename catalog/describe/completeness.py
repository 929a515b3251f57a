"""How completely a dataset is described, and what to add: counted from the manifest, item by item."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from catalog.describe.terms import suggest, term_of
from catalog.manifest import Bilingual, Manifest, ManifestColumn

TITLE_CHARACTERS: Final = 8
DESCRIPTION_CHARACTERS: Final = 80
MEANING_CHARACTERS: Final = 5


class Item(Struct, frozen=True, kw_only=True):
    """`got` of `weight` points; `missing`: names of columns that lack it, for an item about columns."""

    name: str
    weight: int
    got: float
    missing: tuple[str, ...] = ()


class DictionaryEntry(Struct, frozen=True, kw_only=True):
    """A column as the data dictionary has it. `term`: as declared; `suggested`: what its name is likely to be."""

    name: str
    type: str
    role: str
    meaning_vi: str
    meaning_en: str
    term: str | None
    suggested: str | None


class Described(Struct, frozen=True, kw_only=True):
    """`score` from 0 to 1: points got of points there are."""

    score: float
    items: tuple[Item, ...]
    dictionary: tuple[DictionaryEntry, ...]


def completeness(manifest: Manifest) -> Described:
    """What is there, what is not, and the column dictionary."""
    columns = manifest.columns_of("quasi-identifier", "sensitive", "measure")
    items = (
        _whole("title", 10, _long(manifest.title, TITLE_CHARACTERS)),
        _whole("summary", 15, _long(manifest.description, DESCRIPTION_CHARACTERS)),
        _of_columns("meanings", 20, columns, _means_something),
        _of_columns("terms", 15, columns, lambda column: term_of(column.term) is not None),
        _whole("provenance", 15, manifest.provenance is not None),
        _whole("contact", 15, manifest.contact is not None),
        _whole("cover", 5, manifest.cover is not None),
        _whole("places", 5, bool(manifest.spatial.strip() and manifest.temporal.strip())),
    )
    total = sum(item.weight for item in items)
    return Described(
        score=round(sum(item.got for item in items) / total, 4),
        items=items,
        dictionary=tuple(_entry(column) for column in columns),
    )


def _whole(name: str, weight: int, there: bool) -> Item:
    return Item(name=name, weight=weight, got=weight if there else 0)


def _of_columns(
    name: str, weight: int, columns: tuple[ManifestColumn, ...], holds: Callable[[ManifestColumn], bool]
) -> Item:
    missing = tuple(column.sql_name for column in columns if not holds(column))
    share = 1 - len(missing) / len(columns) if columns else 1
    return Item(name=name, weight=weight, got=round(weight * share, 2), missing=missing)


def _long(text: Bilingual, characters: int) -> bool:
    return min(len(text.vi.strip()), len(text.en.strip())) >= characters


def _means_something(column: ManifestColumn) -> bool:
    """More than its own name once more."""
    meaning = column.meaning
    return (
        meaning is not None
        and len(meaning.vi.strip()) >= MEANING_CHARACTERS
        and meaning.vi.strip().lower() != column.sql_name.lower()
    )


def _entry(column: ManifestColumn) -> DictionaryEntry:
    meaning = column.meaning
    return DictionaryEntry(
        name=column.sql_name, type=column.type, role=column.role, meaning_vi=meaning.vi if meaning else "",
        meaning_en=meaning.en if meaning else "", term=column.term,
        suggested=None if column.term else suggest(column.sql_name, meaning.vi if meaning else ""),
    )  # fmt: skip
