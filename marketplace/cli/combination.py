"""`sandulieu catalog together`: what two listed datasets say of their persons when somebody joins them."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import msgspec

from catalog.risk.combination import combine, told, word_of
from catalog.storage import Store
from catalog.version import Version
from marketplace.cli.home_database import home_database
from marketplace.cli.telling import tell
from marketplace.config import load
from marketplace.errors import NotFound
from marketplace.jailed import told_as
from marketplace.listings.errors import VersionRefused
from marketplace.listings.reads import read_dataset


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """together, below catalog."""
    together = verbs.add_parser("together")
    together.add_argument("slug", metavar="SLUG")
    together.add_argument("other", metavar="OTHER")
    together.set_defaults(func=run)


def run(chosen: argparse.Namespace) -> int:
    """Measure on the newest versions of both; 1 where an owner should act."""
    config = load()
    store = Store(config.path("store"))
    first, second = asyncio.run(_versions(store, chosen.slug, chosen.other))
    with told_as(VersionRefused):
        found = combine(first, _files(store, first), second, _files(store, second), config.ingest_limits())
    word = word_of(found)
    if chosen.json:
        print(msgspec.json.encode({"finding": word, "figures": found}).decode())
    else:
        tell(word if found.shared else "publication.combination_apart", told(found, chosen.other))
    return 1 if word == "publication.combination_narrow" else 0


async def _versions(store: Store, *slugs: str) -> tuple[Version, ...]:
    async with home_database(load()) as database, database.session() as session:
        pages = [await read_dataset(session, slug) for slug in slugs]
    # In dp mode no file is shown, so there is nothing to join.
    found = [page for page in pages if page is not None and page.mode != "dp"]
    if len(found) < len(pages):
        raise NotFound
    return tuple(store.version(page.version.id) for page in found)


def _files(store: Store, version: Version) -> list[Path]:
    return [store.public(version.id) / part.name for part in version.parts]
