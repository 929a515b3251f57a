"""`sandulieu catalog show|search`: what is listed, by the service at SANDULIEU_URL or else in this home."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode

import msgspec

from marketplace.cli.client import from_environment
from marketplace.cli.command_line import words
from marketplace.cli.refusals import tell_refusal
from marketplace.config import load
from marketplace.db.engine import Database, database_url
from marketplace.errors import NotFound
from marketplace.listings.catalogue import list_datasets
from marketplace.listings.reads import read_dataset
from marketplace.listings.schemas import DatasetList, DatasetPage


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog show, search."""
    show = verbs.add_parser("show")
    show.add_argument("slug", metavar="SLUG")
    search = verbs.add_parser("search")
    search.add_argument("words", nargs="*", metavar="WORDS")
    for parser, run in ((show, _show), (search, _search)):
        parser.add_argument("--json", action="store_true")
        parser.set_defaults(func=run)


def _show(chosen: argparse.Namespace) -> int:
    if _is_elsewhere():
        answer = from_environment().get(f"/api/v1/datasets/{quote(chosen.slug, safe='')}")
        if not answer.ok:
            return tell_refusal(answer)
        page = msgspec.json.decode(answer.body, type=DatasetPage)
    else:
        page = asyncio.run(_dataset(chosen.slug))
    print(_json(page)) if chosen.json else _tell_dataset(page)
    return 0


def _is_elsewhere() -> bool:
    return bool(os.environ.get("SANDULIEU_URL"))


async def _dataset(slug: str) -> DatasetPage:
    async with _database() as database, database.session() as session:
        page = await read_dataset(session, slug)
    if page is None:
        raise NotFound
    return page


def _tell_dataset(page: DatasetPage) -> None:
    version = page.version
    print(f"{page.title_vi} / {page.title_en}  ({page.slug})")
    print(f"  {page.owner_name} · {page.licence} · {page.mode} · {', '.join(page.purposes)}")
    print(f"  v{version.number} {version.id[:12]} · {version.persons:,} người/persons · k={version.measured.k}")
    if page.price is not None:
        print(f"  {page.price.base_vnd:,} đ/query + {page.price.per_gb_vnd:,} đ/GB")
    for column in page.columns:
        print(f"    {column.name:<24} {column.type:<14} {column.role:<18} {column.meaning_vi}")


def _search(chosen: argparse.Namespace) -> int:
    q = " ".join(chosen.words)
    if _is_elsewhere():
        answer = from_environment().get(f"/api/v1/datasets?{urlencode({'q': q})}")
        if not answer.ok:
            return tell_refusal(answer)
        found = msgspec.json.decode(answer.body, type=DatasetList)
    else:
        found = asyncio.run(_found(q))
    print(_json(found)) if chosen.json else _tell_found(found)
    return 0


async def _found(q: str) -> DatasetList:
    async with _database() as database, database.session() as session:
        return await list_datasets(session, q=q)


def _tell_found(found: DatasetList) -> None:
    for item in found.items:
        print(f"{item.slug:<28} {item.title_vi}  ({item.owner_name}, k={item.k}, {item.persons:,} người/persons)")
    if not found.items:
        print(*words()["catalog search nothing"].values(), sep="\n", file=sys.stderr)


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    database = Database(database_url(load()), connections=4)
    try:
        yield database
    finally:
        await database.close()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
