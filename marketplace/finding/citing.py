"""How a dataset is cited: the version that was used, with the hash that names it for good."""

from __future__ import annotations

from msgspec import Struct

from marketplace.listings.schemas import DatasetPage

_SPECIAL = {"\\": r"\textbackslash{}", **{sign: "\\" + sign for sign in "&%$#_{}"}, "~": r"\textasciitilde{}",
            "^": r"\textasciicircum{}"}  # fmt: skip


class Citation(Struct, frozen=True, kw_only=True):
    text: str
    bibtex: str


def cite(page: DatasetPage, *, site: str) -> Citation:
    """Of the newest version; `site`: the address of the exchange."""
    year, version = page.version.released_at.year, page.version
    url = f"{site.rstrip('/')}/datasets/{page.slug}"
    title = " ".join(page.title_vi.split())
    owner = " ".join(page.owner_name.split())
    text = f"{owner} ({year}). {title} (phiên bản {version.number}, {version.id[:12]}). Sàn dữ liệu. {url}"
    fields = {
        "title": f"{{{_escaped(title)}}}",
        "author": f"{{{_escaped(owner)}}}",
        "year": str(year),
        "version": f"{version.number}",
        "publisher": "Sàn dữ liệu",
        "note": f"sha256:{version.id}",
        "url": url,
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return Citation(text=text, bibtex=f"@misc{{{page.slug}_v{version.number},\n{lines}}}\n")


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
