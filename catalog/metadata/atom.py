"""Atom (RFC 4287, pages as in RFC 5005): what was listed, and new versions of what was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from msgspec import Struct

from catalog.metadata.described import Site
from catalog.metadata.graph import legible

MEDIA_TYPE: Final = "application/atom+xml"


class Release(Struct, frozen=True, kw_only=True):
    """A version as the feed tells it; the first of a dataset is new, the others change it."""

    version_id: str
    number: int
    slug: str
    title_vi: str
    description_vi: str
    owner_name: str
    themes: tuple[str, ...]
    released_at: datetime


def atom(releases: Sequence[Release], site: Site, *, here: str, following: str | None) -> bytes:
    """One page of the feed, newest first."""
    newest = releases[0].released_at if releases else datetime(2026, 1, 1, tzinfo=UTC)
    links = [("self", here, MEDIA_TYPE), ("alternate", f"{site.url}/", "text/html")]
    links += [("next", following, MEDIA_TYPE)] if following else []
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="vi">',
        _element("id", f"{site.catalogue}.atom"),
        _element("title", site.title_vi),
        _element("updated", newest.isoformat(timespec="seconds")),
        *(f'<link rel="{rel}" type="{kind}" href={quoteattr(address)}/>' for rel, address, kind in links),
        *(line for release in releases for line in _entry(release, site)),
        "</feed>",
    ]
    return ("\n".join(lines) + "\n").encode()


def _entry(release: Release, site: Site) -> tuple[str, ...]:
    page, at = site.page(release.slug), release.released_at.isoformat(timespec="seconds")
    title = release.title_vi if release.number == 1 else f"{release.title_vi} (phiên bản {release.number})"
    return (
        "<entry>",
        _element("id", f"urn:sandulieu:version:{release.version_id}"),
        _element("title", title),
        _element("published", at),
        _element("updated", at),
        f"<author>{_element('name', release.owner_name)}</author>",
        f'<link rel="alternate" type="text/html" href={quoteattr(page)}/>',
        *(f"<category term={quoteattr(legible(theme))}/>" for theme in release.themes if theme.strip()),
        _element("summary", release.description_vi or release.title_vi),
        "</entry>",
    )


def _element(name: str, text: str) -> str:
    return f"<{name}>{escape(legible(text))}</{name}>"
