"""Folding of cells: each is asked about by a dozen recognisers and folded once."""

from __future__ import annotations

from functools import lru_cache

from catalog import search


@lru_cache(maxsize=65_536)
def fold(text: str) -> str:
    """As `catalog.search.fold`."""
    return search.fold(text)
