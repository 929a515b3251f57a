"""How a dataset is cited: the version that was used, with the hash that names it for good."""

from __future__ import annotations

from msgspec import Struct

from marketplace.listings.schemas import DatasetPage

_SPECIAL = {"\\": r"\textbackslash{}", **{sign: "\\" + sign for sign in "&%$#_{}"}, "~": r"\textasciitilde{}",
            "^": r"\textasciicircum{}"}  # fmt: skip
_EXCHANGE = "Sàn dữ liệu"


class Citation(Struct, frozen=True, kw_only=True):
    """In either language; `bibtex` has the Vietnamese title, `bibtex_en` the English one where there is one."""

    text: str
    text_en: str
    bibtex: str
    bibtex_en: str


def cite(page: DatasetPage, *, site: str) -> Citation:
    """Of the newest version; `site`: the address of the exchange."""
    year, version = page.version.released_at.year, page.version
    url = f"{site.rstrip('/')}/datasets/{page.slug}"
    owner = " ".join(page.owner_name.split())
    vi = " ".join(page.title_vi.split())
    en = " ".join(page.title_en.split()) or vi
    short = version.id[:12]
    return Citation(
        text=f"{owner} ({year}). {vi} (phiên bản {version.number}, {short}). {_EXCHANGE}. {url}",
        text_en=f"{owner} ({year}). {en} (version {version.number}, {short}). {_EXCHANGE}. {url}",
        bibtex=_bibtex(page, vi, owner, url),
        bibtex_en=_bibtex(page, en, owner, url),
    )


def _bibtex(page: DatasetPage, title: str, owner: str, url: str) -> str:
    version = page.version
    fields = {
        "title": f"{{{_escaped(title)}}}",
        "author": f"{{{_escaped(owner)}}}",
        "year": str(version.released_at.year),
        "version": f"{version.number}",
        "publisher": _EXCHANGE,
        "note": f"sha256:{version.id}",
        "url": url,
    }
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@misc{{{page.slug}_v{version.number},\n{lines}}}\n"


def _escaped(text: str) -> str:
    return "".join(_SPECIAL.get(sign, sign) for sign in text)
