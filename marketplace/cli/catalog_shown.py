"""`sandulieu catalog show|search`: what is listed, by the service at SANDULIEU_URL or else in this home."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar
from urllib.parse import quote, urlencode

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.cli.client import from_environment
from marketplace.cli.command_line import words
from marketplace.cli.home_database import in_home_database
from marketplace.cli.refusals import tell_refusal
from marketplace.cli.terminal_table import printable
from marketplace.config import load
from marketplace.errors import NotFound
from marketplace.listings.catalogue import list_datasets
from marketplace.listings.reads import read_dataset
from marketplace.listings.schemas import DatasetList, DatasetPage

T = TypeVar("T")


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog show, search."""
    show = verbs.add_parser("show")
    show.add_argument("slug", metavar="SLUG")
    search = verbs.add_parser("search")
    search.add_argument("words", nargs="*", metavar="WORDS")
    for parser, run in ((show, _show), (search, _search)):
        parser.set_defaults(func=run)


def _show(chosen: argparse.Namespace) -> int:
    path = f"/api/v1/datasets/{quote(chosen.slug, safe='')}"
    return _told(chosen, path, DatasetPage, partial(_dataset, slug=chosen.slug), _tell_dataset)


def _search(chosen: argparse.Namespace) -> int:
    q = " ".join(chosen.words)
    return _told(
        chosen, f"/api/v1/datasets?{urlencode({'q': q})}", DatasetList, partial(list_datasets, q=q), _tell_found
    )


def _told(
    chosen: argparse.Namespace,
    path: str,
    kind: type[T],
    read: Callable[[AsyncSession], Awaitable[T]],
    tell: Callable[[T], None],
) -> int:
    """What a service answers at `path`, or what the database of this home does."""
    if os.environ.get("SANDULIEU_URL"):
        answer = from_environment().get(path)
        if not answer.ok:
            return tell_refusal(answer)
        found = msgspec.json.decode(answer.body, type=kind)
    else:
        found = in_home_database(load(), read)
    print(msgspec.json.encode(found).decode()) if chosen.json else tell(found)
    return 0


async def _dataset(session: AsyncSession, slug: str) -> DatasetPage:
    page = await read_dataset(session, slug)
    if page is None:
        raise NotFound
    return page


def _tell_dataset(page: DatasetPage) -> None:
    version = page.version
    said = persons_said(page.mode, version.persons, version.measured.k)
    lines = [
        f"{page.title_vi} / {page.title_en}  ({page.slug})",
        f"  {page.owner_name} · {page.licence} · {page.mode} · {', '.join(page.purposes)}",
        f"  v{version.number} {version.id[:12]} · {said}",
    ]
    if page.price is not None:
        lines.append(f"  {page.price.base_vnd:,} đ/query + {page.price.per_gb_vnd:,} đ/GB")
    lines += [f"    {c.name:<24} {c.type:<14} {c.role:<18} {c.meaning_vi}" for c in page.columns]
    # An owner's words: they may not steer the terminal of whoever looks.
    print(*map(printable, lines), sep="\n")


def _tell_found(found: DatasetList) -> None:
    for item in found.items:
        said = persons_said(item.mode, item.persons, item.k)
        print(printable(f"{item.slug:<28} {item.title_vi}  ({item.owner_name}, {said})"))
    if not found.items:
        print(*words()["catalog search nothing"].values(), sep="\n", file=sys.stderr)


def persons_said(mode: str, persons: int, k: int) -> str:
    """In dp mode the number is a ceiling, and what protects is noise: its k of 1 would mislead."""
    if mode == "dp":
        return f"nhiều nhất/at most {persons:,} người/persons, có nhiễu/with noise"
    return f"{persons:,} người/persons, k={k}"
