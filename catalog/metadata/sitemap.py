"""Sitemaps (sitemaps.org 0.9): an index, and files of pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final
from xml.sax.saxutils import escape

from catalog.metadata.graph import safe_iri

MEDIA_TYPE: Final = "application/xml"
MOST_ADDRESSES: Final = 10_000
"""In a file; the protocol allows 50,000 and 50 MB."""
_BEGIN: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<{0} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
)


def sitemap(pages: Iterable[tuple[str, datetime]]) -> bytes:
    """A file: addresses with when each was last changed."""
    return _written("urlset", "url", ((page, at.isoformat(timespec="seconds")) for page, at in pages))


def sitemap_index(files: Iterable[str]) -> bytes:
    """The index over files."""
    return _written("sitemapindex", "sitemap", ((file, "") for file in files))


def _written(root: str, element: str, entries: Iterable[tuple[str, str]]) -> bytes:
    lines = [
        f"<{element}><loc>{escape(safe_iri(address))}</loc>{at and f'<lastmod>{at}</lastmod>'}</{element}>\n"
        for address, at in entries
    ]
    return "".join([_BEGIN.format(root), *lines, f"</{root}>\n"]).encode()
