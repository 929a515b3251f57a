"""`sandulieu catalog show|search`: what is listed, read from the database."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from marketplace.config import load
from marketplace.db.engine import Database, database_url
from marketplace.errors import NotFound
from marketplace.listings.catalogue import list_datasets
from marketplace.listings.reads import read_dataset


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """catalog show, search."""
    show = verbs.add_parser("show", help="một bộ dữ liệu / one dataset")
    show.add_argument("slug", metavar="SLUG")
    search = verbs.add_parser("search", help="tìm / find")
    search.add_argument("words", nargs="*", metavar="WORDS")
    for parser, run in ((show, _show), (search, _search)):
        parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
        parser.set_defaults(func=run)


def _show(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell_dataset(chosen.slug, as_json=chosen.json))


async def _tell_dataset(slug: str, *, as_json: bool) -> int:
    async with _database() as database, database.session() as session:
        page = await read_dataset(session, slug)
    if page is None:
        raise NotFound
    if as_json:
        print(_json(page))
        return 0
    version = page.version
    print(f"{page.title_vi} / {page.title_en}  ({page.slug})")
    print(f"  {page.owner_name} · {page.licence} · {page.mode} · {', '.join(page.purposes)}")
    print(f"  v{version.number} {version.id[:12]} · {version.persons:,} người/persons · k={version.measured.k}")
    if page.price is not None:
        print(f"  {page.price.base_vnd:,} đ/query + {page.price.per_gb_vnd:,} đ/GB")
    for column in page.columns:
        print(f"    {column.name:<24} {column.type:<14} {column.role:<18} {column.meaning_vi}")
    return 0


def _search(chosen: argparse.Namespace) -> int:
    return asyncio.run(_tell_found(" ".join(chosen.words), as_json=chosen.json))


async def _tell_found(q: str, *, as_json: bool) -> int:
    async with _database() as database, database.session() as session:
        found = await list_datasets(session, q=q)
    if as_json:
        print(_json(found))
        return 0
    for item in found.items:
        print(f"{item.slug:<28} {item.title_vi}  ({item.owner_name}, k={item.k}, {item.persons:,} người/persons)")
    return 0


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    database = Database(database_url(load()), connections=4)
    try:
        yield database
    finally:
        await database.close()


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
